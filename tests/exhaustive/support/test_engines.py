"""The engines of the tests are real ones, and child processes see nothing of this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support.cache import cached, verify
from support.engines import (
    TERRAFORM_VERSIONS,
    clean_env,
    opentofu_1_6_2,
    terraform,
    terraform_version,
    write_executable,
)
from support.paths import TESTS
from support.terminal import Terminal

# The trap: Ctrl-C reaches the shell, too; without it, the library might end of the shell's failure.
PROJECT = """
resource "terraform_data" "a" {
  input = 1
  provisioner "local-exec" { command = "trap '' INT; echo $((40 + 2)) begun; sleep 30" }
}
"""
OLDEST, NEWEST = TERRAFORM_VERSIONS[0], TERRAFORM_VERSIONS[-1]


def say(engine: Path, *words: str, home: Path) -> str:
    """stdout of a command that must succeed and write nothing to stderr."""
    done = subprocess.run(
        [engine, *words], env=clean_env(home), cwd=home, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout


def test_the_terraform_on_path_answers(tmp_path: Path) -> None:
    said = json.loads(say(terraform(), "version", "-json", home=tmp_path))
    assert said["terraform_version"]
    assert said["terraform_outdated"] is False


def test_opentofu_is_the_version_asked_for(tmp_path: Path) -> None:
    assert say(opentofu_1_6_2(), "version", home=tmp_path).startswith("OpenTofu v1.6.2\n")


@pytest.mark.parametrize("version", TERRAFORM_VERSIONS)
def test_each_terraform_is_the_version_asked_for(version: str, tmp_path: Path) -> None:
    engine = terraform_version(version)
    assert engine.name == "terraform"
    assert say(engine, "version", home=tmp_path) == f"Terraform v{version}\non linux_amd64\n"


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_a_library_behaves_as_a_command(version: str, tmp_path: Path) -> None:
    """Prompt, width, Ctrl-C and exit codes of a terraform from a library are those of the
    command."""
    engine, env = terraform_version(version), clean_env(tmp_path)
    (tmp_path / "main.tf").write_text(PROJECT)
    with Terminal([engine, "apply"], env=env, cwd=tmp_path) as terminal:
        terminal.expect("Enter a value:")
        terminal.send("no\n")
        assert terminal.wait() == 1
        assert max(map(len, terminal.screen.splitlines())) > 100
    with Terminal([engine, "apply", "-auto-approve"], env=env, cwd=tmp_path) as terminal:
        terminal.expect("42 begun")
        terminal.interrupt()
        assert terminal.wait(10) == 1
        assert "Interrupt received" in terminal.screen
    with_args = {**env, "TF_CLI_ARGS_plan": "-detailed-exitcode"}
    done = subprocess.run(
        (engine, "plan"), env=with_args, cwd=tmp_path, capture_output=True, check=False
    )
    assert (done.returncode, b"\x1b[1m" in done.stdout) == (2, True)


def test_a_library_dies_of_a_hangup_as_the_command_does(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(PROJECT)
    engine = terraform_version(NEWEST)
    with Terminal(
        [engine, "apply", "-auto-approve"], env=clean_env(tmp_path), cwd=tmp_path
    ) as terminal:
        terminal.expect("42 begun")
        terminal.kill(signal.SIGHUP)
        assert terminal.wait(10) == -signal.SIGHUP


def test_a_clean_environment_names_everything_a_child_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CI", "HARNESS_ACCOUNT_ID", "TFEVENTS_URL", "PLUGIN_COMMAND", "TF_CLI_ARGS"):
        monkeypatch.setenv(name, "set")
    show = write_executable(tmp_path / "show", "import os; print(sorted(os.environ))")
    env = clean_env(tmp_path / "home", show)
    seen = subprocess.run(["show"], env=env, capture_output=True, text=True, check=True).stdout
    assert set(json.loads(seen.replace("'", '"'))) - {"LC_CTYPE"} == set(env)
    assert Path(env["TF_CLI_CONFIG_FILE"]).read_text() == "disable_checkpoint = true\n"
    repository = tmp_path / "home" / "repository"
    subprocess.run(["git", "init", "-q", repository], env=env, check=True)
    commit = ["git", "commit", "-q", "--allow-empty", "-m", "first"]
    subprocess.run(commit, env=env, cwd=repository, check=True)


def test_a_download_happens_once_and_is_visible_only_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFEVENTS_TEST_CACHE", str(tmp_path))
    made: list[Path] = []

    def make(draft: Path) -> None:
        assert not (tmp_path / "thing").exists()
        (draft / "file").write_text("whole")
        made.append(draft)

    assert (cached("thing", make) / "file").read_text() == "whole"
    assert cached("thing", make) == tmp_path / "thing"
    assert len(made) == 1


def test_what_cannot_be_had_is_asked_for_once_per_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFEVENTS_TEST_CACHE", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    asked: list[Path] = []

    def make(draft: Path) -> None:
        asked.append(draft)
        pytest.skip("no network")

    for _ in range(2):
        with pytest.raises(pytest.skip.Exception, match="no network"):
            cached("thing", make)
    assert len(asked) == 1
    assert not (tmp_path / "thing").exists()


def test_processes_that_want_the_same_download_make_it_once(tmp_path: Path) -> None:
    source = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); from support.cache import cached\n"
        "def make(draft):\n time.sleep(0.2); (draft / 'file').write_text('x'); print('made')\n"
        "cached('thing', make)"
    )
    command = [sys.executable, "-c", source, str(TESTS)]
    env = {**os.environ, "TFEVENTS_TEST_CACHE": str(tmp_path)}
    running = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE) for _ in range(3)]
    assert b"".join(process.communicate()[0] for process in running) == b"made\n"


def test_a_file_that_is_not_the_pinned_one_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("other")
    with pytest.raises(RuntimeError, match="not the pinned file"):
        verify(tmp_path / "file", "sha256-AAAA")
