"""Checks that terraform is started the same way, and prompts the same way, bare and wrapped."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tfevents.selftest import probe
from tfevents.selftest.check import Check, CheckFailed
from tfevents.selftest.commands import compare_results
from tfevents.selftest.scratch import Project, Scratch
from tfevents.selftest.terminal_session import Terminal, run_in_terminal

WRAPPER_VARIABLES = frozenset({"TF_TEMP_LOG_PATH", "TFEVENTS_CALLER"})
"""The variables that the wrapper sets for terraform: README, `What terraform sees`."""
CONFIGURATION = {"main.tf": 'resource "terraform_data" "a" {}\n'}
OTHER_SIZE = (33, 99)
QUESTION = b"Enter a value:"
CTRL_C = b"\x03"
ANSWERS = {"yes": b"yes\n", "no": b"no\n", "Ctrl-D": b"\x04", "Ctrl-C": CTRL_C}


def list_checks(scratch: Scratch) -> Iterator[Check]:
    """The checks: the probe through pipes and in a terminal, then the prompt of the real binary."""
    yield Check("terminal", "what a child sees through pipes", partial(_compare_pipes, scratch))
    yield Check("terminal", "what a child sees in a terminal", partial(_compare_terminal, scratch))
    yield Check("terminal", "the window's size changes", partial(_compare_size, scratch))
    for name, keys in ANSWERS.items():
        check = partial(_compare_prompt, scratch, keys)
        yield Check("terminal", f"the prompt is answered with {name}", check)


def make_probe_scratch(scratch: Scratch) -> Scratch:
    """The same scratch directory with the probe (probe.py) as its `binary`."""
    program = scratch.root / "bin" / scratch.binary.name
    program.parent.mkdir(exist_ok=True)
    words = shlex.join([sys.executable, "-IS", probe.__file__])
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    program.chmod(0o755)
    return replace(scratch, binary=program)


def read_report(project: Project) -> Mapping[str, Any]:
    """What the probe recorded. Raises CheckFailed where the probe did not run to its end."""
    try:
        seen = json.loads(Path(project.env["SELFTEST_REPORT"]).read_text())
    except (OSError, ValueError):
        raise CheckFailed("terraform was not run as typed, or not to its end") from None
    report: Mapping[str, Any] = seen
    return report


def make_probe_project(scratch: Scratch, task: str = "") -> Project:
    """A project whose runs the probe records. `task`: SELFTEST_TASK, see probe.py."""
    project = scratch.make_uninitialised_project(CONFIGURATION, SELFTEST_TASK=task)
    report = str(project.directory.parent / "report.json")
    return Project(project.directory, {**project.env, "SELFTEST_REPORT": report})


def _compare_pipes(scratch: Scratch) -> None:
    probe_scratch = make_probe_scratch(scratch)
    project = make_probe_project(probe_scratch)
    probe_scratch.run_bare(project, "apply", "-auto-approve", "-var=v=a b")
    bare = read_report(project)
    probe_scratch.run_wrapped(project, "apply", "-auto-approve", "-var=v=a b")
    compare_surroundings(bare, read_report(project))


def _compare_terminal(scratch: Scratch) -> None:
    probe_scratch = make_probe_scratch(scratch)
    project = make_probe_project(probe_scratch)
    run_in_terminal([probe_scratch.binary, "apply"], project)
    bare = read_report(project)
    run_in_terminal([probe_scratch.tf, "apply"], project)
    compare_surroundings(bare, read_report(project))


def compare_surroundings(bare: Mapping[str, Any], wrapped: Mapping[str, Any]) -> None:
    """Raises CheckFailed for the first difference of two reports, apart from WRAPPER_VARIABLES."""
    for name in bare:
        if name != "environment" and bare[name] != wrapped[name]:
            raise CheckFailed(f"{name}: {wrapped[name]} instead of {bare[name]}")
    before, after = bare["environment"], wrapped["environment"]
    changed = {
        n for n in before.keys() | after.keys() if before.get(n) != after.get(n)
    } - WRAPPER_VARIABLES
    if changed:
        raise CheckFailed(f"environment: {', '.join(sorted(changed))}")


def _compare_size(scratch: Scratch) -> None:
    probe_scratch = make_probe_scratch(scratch)
    project = make_probe_project(probe_scratch, "size")
    for program in (probe_scratch.binary, probe_scratch.tf):
        run_in_terminal([program, "apply"], project, _resize)
        seen = read_report(project)["size"]
        if seen != list(reversed(OTHER_SIZE)):
            raise CheckFailed(f"{program.name}: the new size did not arrive, but {seen}")


def _resize(terminal: Terminal) -> None:
    terminal.wait_for(b"ready")
    terminal.resize(*OTHER_SIZE)


def _compare_prompt(scratch: Scratch, keys: bytes) -> None:
    """Unordered for Ctrl-C: when interrupted, two threads of terraform write at the same time."""
    bare, wrapped = (
        run_in_terminal(
            [program, "apply"], scratch.make_project(CONFIGURATION), partial(_answer, keys)
        )
        for program in (scratch.binary, scratch.tf)
    )
    compare_results(bare, wrapped, ordered=keys != CTRL_C)


def _answer(keys: bytes, terminal: Terminal) -> None:
    terminal.wait_for(QUESTION)
    terminal.type(keys)
