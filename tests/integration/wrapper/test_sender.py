"""The forked sender process, where terraform or the sender process can't be started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.loss.processes import find_processes
from support.machine import Machine
from support.nowhere import closed_port

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc")

WITH_BROKEN_MODULE = """
import sys
from tfevents.wrapper.main import main

class BrokenModule:
    def find_spec(self, name, *rest):
        if name == "sqlite3":
            raise ValueError("bad marshal data")

sys.meta_path.insert(0, BrokenModule())
sys.argv = ["tf", "plan"]
sys.exit(main())
"""
"""Runs `tf plan` where a module that the sender process needs can't be imported."""


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


def test_terraform_runs_to_its_end_without_it(machine: Machine) -> None:
    """An error while the sender process is made ready leaves terraform alone; one line says that
    nothing is reported."""
    with closed_port() as url:
        done = subprocess.run(
            [sys.executable, "-c", WITH_BROKEN_MODULE],
            env={**machine.env, **machine.reporting_to(url)},
            cwd=machine.project(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "1 to add" in done.stdout
    assert done.stderr.startswith("tfevents: nothing is reported: ")
    assert done.stderr.count("\n") == 1
    assert find_processes(machine.home) == []
