"""Asks terraform itself what a directory declares."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

PROVIDER = re.compile(r"provider\[([^\]]+)\](?: (.*))?$")


def run(binary: Path, directory: Path, env: Mapping[str, str], *arguments: str) -> str:
    """stdout of a terraform command; fails the test if the command fails."""
    done = subprocess.run(
        [binary, *arguments], cwd=directory, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def providers(binary: Path, directory: Path, env: Mapping[str, str]) -> dict[str, set[str]]:
    """Version constraints by provider source, from `terraform providers` over all modules."""
    found: dict[str, set[str]] = {}
    for line in run(binary, directory, env, "providers", "-no-color").splitlines():
        if match := PROVIDER.search(line):
            versions = (match[2] or "").split(", ")
            found.setdefault(match[1], set()).update(filter(None, versions))
    return found


def modules(binary: Path, directory: Path, env: Mapping[str, str]) -> list[tuple[str, str]]:
    """Name and source of each module, from `terraform modules -json` (1.10 and newer), whose keys
    are no paths."""
    document = json.loads(run(binary, directory, env, "modules", "-json"))
    return sorted((module["key"], module["source"]) for module in document["modules"] or [])


def accepted(binary: Path, directory: Path, env: Mapping[str, str]) -> set[str]:
    """The .tf files of a directory whose syntax terraform accepts, according to `terraform fmt`."""
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
