"""What is imported when: before terraform starts, only what starting it needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

SLOW = {
    *("ssl", "socket", "http.client", "email", "urllib.parse", "subprocess", "logging", "inspect"),
    *("dataclasses", "typing", "json", "hashlib", "tempfile", "shutil", "uuid", "zipfile"),
    *("sqlite3", "decimal", "asyncio", "importlib.metadata", "importlib.resources"),
    *("httpx", "jsonschema", "msgspec", "hcl2", "rich", "click"),
}
NEVER = {"httpx", "jsonschema", "hcl2", "rich", "click", "dataclasses", "inspect", "logging"}
"""Slow to wake, and not needed for a run that all goes well with, either."""


def imported(program: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {program}; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def ours(names: set[str]) -> set[str]:
    return {name for name in names if name.partition(".")[0] == "tfevents"}


def test_a_command_that_is_not_reported_needs_four_modules() -> None:
    """Where the front could not decide: Terragrunt calls the binary many times."""
    names = imported("import __future__, os, tfevents.tf")
    assert ours(names) == {"tfevents", "tfevents.errors", "tfevents.provisioner", "tfevents.tf"}
    assert names - ours(names) <= {"__future__", "_signal", "errno", "gc", "os"}


def test_terraform_is_started_before_anything_slow_wakes() -> None:
    """Whatever else a report needs is imported while terraform works."""
    assert not SLOW & imported("import tfevents.observe")


@pytest.mark.parametrize("module", ["backstage", "wire", "planfile", "relay"])
def test_a_run_that_goes_well_never_wakes_the_slowest(module: str) -> None:
    """A plan of ten resources is over in 60 ms: httpx alone would take longer."""
    assert not NEVER & imported(f"import tfevents.{module}")


def test_reading_a_plan_file_wakes_no_decoder() -> None:
    """msgspec is for values: of drift, outputs and states."""
    assert "msgspec" not in imported("import tfevents.backstage")
