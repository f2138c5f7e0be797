"""Text from outside can't put control characters into the output of tfevents or into its events."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.engines import clean_env, terraform

TF = Path(sys.executable).with_name("tf")


TFEVENTS = Path(sys.executable).with_name("tfevents")


@pytest.mark.exhaustive
def test_many_small_texts_are_a_large_event(tmp_path: Path) -> None:
    """`send` refuses an event that is too large, does not cut it, and records nothing."""
    many = [word for n in range(8000) for word in ("--data", f"k{n}=v")]
    done = sh([TFEVENTS, "send", "plan", "--workspace", "w", *many], tmp_path)
    assert done.returncode
    assert b"too large" in done.stderr
    assert b"nothing has been recorded" in sh([TFEVENTS, "log"], tmp_path).stdout


def sh(command: list[object], place: Path, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Runs a command in `place`, with tfevents' home directory below it; returns the result."""
    home = place / "home"
    return subprocess.run(
        [str(word) for word in command],
        env={**clean_env(home, terraform()), "TFEVENTS_HOME": str(home / "tfevents"), **env},
        cwd=place,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A directory whose file names and configuration hold escape sequences."""
    (tmp_path / "main.tf").write_text(
        'terraform { required_version = "> 0\\u001b[31m" }\nmodule "m" {\n  source = "git::https://t:CANARY@host.example/a\\u001b[31m.git"\n}\n'
    )
    (tmp_path / "bad\x1b[31m.tf").write_text('resource "a" {')
    (tmp_path / "pl\x1b]0;x\x07an").write_text("{}")
    return tmp_path


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "command",
    [
        ["inventory"],
        ["inventory", "--json"],
        ["count", "pl\x1b]0;x\x07an"],
        ["send", "pl\x1b[31man"],
        ["send", "plan", "--workspace", "w", "--data", "a\x1b[31m=b\x07"],
        ["plugin"],
        ["run", "--", "no\x1b[31mthing", "plan"],
    ],
)
def test_our_own_commands_print_no_control_characters(hostile: Path, command: list[str]) -> None:
    """No command prints control characters from file names, files or arguments, or the secret in a
    module's source."""
    odd = {"PLUGIN_ROOT_DIR": "no\x1b[31mwhere\x07"}
    done = sh([TFEVENTS, *command], hostile, **odd)
    said = done.stdout + done.stderr
    assert said
    assert b"\x1b" not in said
    assert b"\x07" not in said
    assert b"CANARY" not in said


def test_a_provisioner_s_name_is_printed_clean(tmp_path: Path) -> None:
    """The error for a wrong TFEVENTS_PROVISIONER repeats its value without escape sequences."""
    done = sh([TF, "plan"], tmp_path, TFEVENTS_PROVISIONER="x\x1b[31my")
    assert b"\x1b" not in done.stderr
    assert b"x" in done.stderr


def test_git_s_message_loses_its_escapes(tmp_path: Path) -> None:
    """A commit message that git returns is recorded without escape sequences and control
    characters."""
    identity = ["-c", "user.name=n", "-c", "user.email=e"]
    message = "sub\x1b[31mject\x9d" + "\x9d" * 50_000 + "\n\nbody\x07"
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(
        ["git", "-C", tmp_path, *identity, "commit", "-q", "--allow-empty", "-F", "-"],
        input=message.encode(),
        check=True,
    )
    sh([TF, "plan"], tmp_path)
    (run,) = json.loads(sh([TFEVENTS, "log", "--json"], tmp_path).stdout)["runs"]
    told = json.dumps(run["events"])
    assert "sub" in told
    assert "\\u001b" not in told
    assert "\\u009d" not in told
