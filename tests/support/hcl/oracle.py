"""What terraform itself says that a directory declares."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

PROVIDER = re.compile(r"provider\[([^\]]+)\](?: (.*))?$")


def run(binary: Path, directory: Path, env: Mapping[str, str], *arguments: str) -> str:
    """Its stdout; what it says against a configuration fails the test."""
    done = subprocess.run(
        [binary, *arguments], cwd=directory, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def providers(binary: Path, directory: Path, env: Mapping[str, str]) -> dict[str, set[str]]:
    """From source to constraints, of `terraform providers` over all modules."""
    found: dict[str, set[str]] = {}
    for line in run(binary, directory, env, "providers", "-no-color").splitlines():
        if match := PROVIDER.search(line):
            versions = (match[2] or "").split(", ")
            found.setdefault(match[1], set()).update(filter(None, versions))
    return found


def modules(binary: Path, directory: Path, env: Mapping[str, str]) -> list[tuple[str, str]]:
    """Name and source of `terraform modules -json`, 1.10 and newer; its keys are no paths."""
    document = json.loads(run(binary, directory, env, "modules", "-json"))
    return sorted((module["key"], module["source"]) for module in document["modules"] or [])


def accepted(binary: Path, directory: Path, env: Mapping[str, str]) -> set[str]:
    """The .tf files of a directory whose syntax terraform takes, as `fmt` says."""
    done = subprocess.run(
        [binary, "fmt", "-no-color", "-write=false", "-list=false", "."],
        cwd=directory,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    refused = set(re.findall(r"on (\S+\.tf) line", done.stderr))
    return {path.name for path in directory.glob("*.tf")} - refused
