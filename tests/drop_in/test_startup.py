"""What is imported when: before terraform starts, only what starting it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import tfevents

SLOW = {
    *("ssl", "socket", "http.client", "email", "urllib.parse", "subprocess", "logging", "inspect"),
    *("dataclasses", "typing", "json", "hashlib", "tempfile", "shutil", "uuid", "zipfile"),
    *("sqlite3", "decimal", "asyncio", "importlib.metadata", "importlib.resources"),
    *("re", "enum", "functools", "contextlib", "collections", "threading", "signal", "select"),
    *("httpx", "jsonschema", "msgspec", "hcl2", "rich", "click"),
}
OF_OS = {"os.path", "stat", "_stat", "posixpath", "genericpath", "_collections_abc", "abc", "_abc"}
NEVER = {
    *("httpx", "jsonschema", "hcl2", "rich", "click", "dataclasses", "inspect", "logging"),
    *("msgspec", "ssl", "http.client", "email", "urllib.parse", "subprocess", "sqlite3", "hashlib"),
    *("typing", "datetime", "random", "signal", "ipaddress", "locale"),
}
"""Slow to wake, and not needed for a run that all goes well with, either."""


def imported(program: str) -> set[str]:
    """By a Python that was started as the front starts it."""
    place = str(Path(tfevents.__file__).parents[1])
    code = f"import sys; sys.path.append({place!r}); before = set(sys.modules); {program};"
    code += "print(*set(sys.modules) - before)"
    python = [sys.executable, "-IS", "-c", code]
    return set(subprocess.run(python, capture_output=True, text=True, check=True).stdout.split())


def ours(names: set[str]) -> set[str]:
    return {name for name in names if name.partition(".")[0] == "tfevents"}


FEW = ("errors", "terminal", "terraform", "terraform.binary", "wrapper", "wrapper.main")


def test_a_command_that_is_not_reported_needs_few_modules() -> None:
    """Where the front could not decide: Terragrunt calls the binary many times."""
    names = imported("import __future__, os, tfevents.wrapper.main")
    assert ours(names) == {"tfevents", *(f"tfevents.{name}" for name in FEW)}
    assert names - ours(names) <= {"__future__", "_signal", "errno", "gc", "os"} | OF_OS


def test_terraform_is_started_before_anything_slow_wakes() -> None:
    """Whatever else a report needs is imported while terraform works."""
    assert not SLOW & imported("import tfevents.wrapper.run")


def test_a_run_is_told_with_what_is_awake_anyway() -> None:
    """Of a small plan and a small state: each of these takes as long as ten resources."""
    assert not NEVER & imported(
        "import tfevents.reporting.fact_collector, tfevents.readers.planfile.messagepack"
    )
