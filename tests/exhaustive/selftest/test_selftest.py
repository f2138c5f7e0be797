"""`tfevents selftest` passes if all is well, and finds planted faults."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.engines import (
    clean_env,
    opentofu_1_6_2,
    terraform,
    terraform_version,
    write_executable,
)
from support.planted import Fault, install, run_selftest

pytestmark = pytest.mark.exhaustive

ENGINES = {
    "terraform": terraform,
    "terraform-1.15": lambda: terraform_version("1.15.5"),
    "opentofu-1.6": opentofu_1_6_2,
}
SWALLOWED = Fault(
    "wrapper/process.py",
    "os.posix_spawn(path, words,",
    """os.posix_spawn("/bin/sh", ["sh", "-c", '"$0" "$@" | sed 2d', path, *words[1:]],""",
)
"""Removes a line of terraform's output."""
DOUBLED = Fault(  # later, as the kernel merges two pending signals
    "wrapper/signals.py",
    "os.kill(pid, number)",
    "os.kill(pid, number), time.sleep(0.3), os.kill(pid, number)",
)
"""Forwards each signal twice."""
LOST_CODE = Fault("wrapper/main.py", ", path).exit_code)", ", path).exit_code and 0)")
"""Exits with 0 instead of terraform's exit code."""
MISCOUNTED = Fault(
    "terraform/changes.py",
    'yield from ["deleted"] * max(0, actions["Delete"] - apply.count_failed_deletions(address))',
    'yield from ["deleted"] * max(0, actions["Delete"] - actions["Create"])',
)
"""Does not count the deletion of a replaced object."""
FORGOTTEN = Fault(
    "journal/journal.py",
    "            for event in events:\n                insert_row(db,",
    "            for event in events[1:]:\n                insert_row(db,",
)
"""Does not write the first of several events to the journal."""
SEEN = Fault(
    "terraform/binary.py",
    "def inherited_environment(env: Mapping[str, str], path: str) -> dict[str, str]:",
    "def inherited_environment(env: Mapping[str, str], path: str) -> dict[str, str]:\n"
    '    env = {**env, "LANG": "tlh"}\n    return _inherited(env, path)\n\n\n'
    "def _inherited(env: Mapping[str, str], path: str) -> dict[str, str]:",
)
"""Changes terraform's environment."""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment that has nothing of this machine."""
    return clean_env(tmp_path / "home", terraform())


@pytest.mark.parametrize("engine", ENGINES)
def test_all_is_well(engine: str, tmp_path: Path, env: dict[str, str]) -> None:
    """The selftest of an installation without faults finds no difference."""
    program = install(tmp_path / "installed")
    done = run_selftest(program, "--json", "--terraform", str(ENGINES[engine]()), **env)
    wrong = [c for c in json.loads(done.stdout)["checks"] if c["status"] == "differs"]
    assert wrong == []
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("fault", "group", "named"),
    [
        (SWALLOWED, "commands", "stdout lacks"),
        (DOUBLED, "signals", "SIGTERM 2"),
        (LOST_CODE, "commands", "exit code 0 instead of"),
        (MISCOUNTED, "counts", "0 deleted; the binary says"),
        (FORGOTTEN, "delivery", "provisioning arrived instead of provisioning, active"),
        (SEEN, "terminal", "environment: LANG"),
    ],
    ids=["swallowed line", "doubled signal", "lost code", "miscounted", "forgotten", "environment"],
)
def test_a_planted_fault_is_found(
    fault: Fault, group: str, named: str, tmp_path: Path, env: dict[str, str]
) -> None:
    """The selftest exits with 1 and names the planted fault."""
    program = install(tmp_path / "installed", fault)
    done = run_selftest(program, "--only", group, **env)
    assert done.returncode == 1
    assert named in done.stdout


def test_a_log_in_other_words_is_told(tmp_path: Path, env: dict[str, str]) -> None:
    """The selftest says so if terraform's core log has messages that tfevents does not know."""
    program = install(tmp_path / "installed")
    engine = write_executable(tmp_path / "terraform", OTHER_WORDS.format(str(terraform())))
    done = run_selftest(program, "--only", "counts", "--terraform", str(engine), **env)
    assert done.returncode == 1
    assert "writes its log in other words than we know: no beginning of a change" in done.stdout


OTHER_WORDS = """\
import os, pathlib, subprocess, sys
code = subprocess.call([{!r}, *sys.argv[1:]])
log = os.environ.get("TF_TEMP_LOG_PATH")
if log and pathlib.Path(log).exists():
    text = pathlib.Path(log).read_bytes()
    pathlib.Path(log).write_bytes(text.replace(b"applying the planned", b"making the"))
sys.exit(code)
"""
