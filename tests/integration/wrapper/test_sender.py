"""The forked sender process, where terraform can't be started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.loss.processes import find_processes
from support.machine import Machine
from support.nowhere import closed_port

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc")

NO_ROOM = """
import errno, os, sys
from tfevents.wrapper.main import main

spawn, attempts = os.posix_spawn, []

def spawn_if_there_is_room(*words, **options):
    attempts.append(words)
    if len(attempts) == 1:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return spawn(*words, **options)

os.posix_spawn = spawn_if_there_is_room
sys.argv = ["tf", "plan"]
code = main()
print(len(attempts))
sys.exit(code)
"""
"""Runs `tf plan`; terraform can't be started at first."""


def test_it_ends_with_a_run_that_did_not_begin(machine: Machine) -> None:
    """If the system can't execute terraform, no sender process is left behind."""
    engine = machine.root / "terraform"
    engine.write_bytes(b"\x7fELF")
    engine.chmod(0o755)
    with closed_port() as url:
        env = machine.reporting_to(url, TFEVENTS_PROVISIONER=str(engine))
        done = machine.tf("plan", at=machine.project(), env=env)
    assert done.returncode == 126
    assert find_processes(machine.home) == []


@pytest.mark.exhaustive
def test_it_makes_room_for_terraform(machine: Machine) -> None:
    """If no further process may be started, the sender process is ended and terraform started; the
    event is reported or kept as ever."""
    with closed_port() as url:
        done = subprocess.run(
            [sys.executable, "-c", NO_ROOM],
            env={**machine.env, **machine.reporting_to(url)},
            cwd=machine.project(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("2\n")
    assert machine.statuses() == ["pending"]
