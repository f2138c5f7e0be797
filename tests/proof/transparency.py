"""Runs `tfevents selftest` on every engine, from a separate installation."""

from __future__ import annotations

import json
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections import Counter
from pathlib import Path
from typing import Any

from engines import add_option, find_engines
from record import Outcome
from support.engines import clean_env
from support.planted import install, run_selftest

ABOUT = "commands with and without `tf`: output, exit code, signals and terminal are the same"


def add_options(parser: ArgumentParser) -> None:
    """Adds the option that chooses the engines."""
    add_option(parser)


def run(options: Namespace) -> Outcome:
    """Runs the self-test's checks on each engine."""
    outcome = Outcome(Counter({"checks": 0, "engines": 0, "checks that an engine can't have": 0}))
    with tempfile.TemporaryDirectory() as place:
        program = install(Path(place) / "installed")
        for name, engine in find_engines(options.engine):
            print(f"{name} …", file=sys.stderr)
            env = clean_env(Path(place) / name, engine)
            told = run_selftest(program, "--json", "--terraform", str(engine), **env)
            _add(outcome, name, json.loads(told.stdout)["checks"])
    return outcome


def _add(outcome: Outcome, engine: str, checks: list[dict[str, Any]]) -> None:
    skipped = sum(check["status"] == "skipped" for check in checks)
    outcome.figures["checks"] += len(checks) - skipped
    outcome.figures["engines"] += 1
    outcome.figures["checks that an engine can't have"] += skipped
    outcome.wrong += [
        f"{engine}: {check['group']}: {check['name']}: {check['detail']}"
        for check in checks
        if check["status"] == "differs"
    ]
