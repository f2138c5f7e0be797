"""Checks that signals arrive once, and end terraform as they do without the wrapper.

They are typed in a terminal, or sent from another process.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from tfevents.selftest.check import Check, Differs
from tfevents.selftest.commands import SECONDS, CommandResult, compare
from tfevents.selftest.groups.surroundings import (
    CTRL_C,
    make_probe_project,
    place_probe,
    read_report,
)
from tfevents.selftest.scratch import Project, Scratch
from tfevents.selftest.terminal_session import Terminal, run_in_terminal

SLOW = {
    "main.tf": """\
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "echo begun; exec sleep 50"
  }
}
"""
}
BEGUN = b"(local-exec): begun"
APPLY = ("apply", "-auto-approve", "-no-color")
OUTSIDE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def list_checks(scratch: Scratch) -> Iterator[Check]:
    """The checks: signals counted by the probe, then signals during a real apply."""
    for number in OUTSIDE:
        name = f"{number.name} from outside arrives once"
        yield Check("signals", name, partial(_count_outside, scratch, number))
    yield Check("signals", "Ctrl-C arrives once", partial(_count_typed, scratch))
    for number in (signal.SIGTERM, signal.SIGINT):
        name = f"{number.name} in the middle of an apply"
        yield Check("signals", name, partial(_compare_outside, scratch, number))
    name = "Ctrl-C in the middle of an apply"
    yield Check("signals", name, partial(_compare_typed, scratch))


def _count_outside(scratch: Scratch, number: signal.Signals) -> None:
    probing = place_probe(scratch)
    project = make_probe_project(probing, "signals")
    run_until(probing.tf, project, b"ready", number)
    _require_once(project, number)


def _count_typed(scratch: Scratch) -> None:
    probing = place_probe(scratch)
    project = make_probe_project(probing, "signals")
    run_in_terminal([probing.tf, "apply"], project, partial(_interrupt, b"ready"))
    _require_once(project, signal.SIGINT)


def _require_once(project: Project, number: signal.Signals) -> None:
    seen = read_report(project)["signals"]
    if seen != {number.name: 1}:
        told = ", ".join(f"{name} {count}\N{MULTIPLICATION SIGN}" for name, count in seen.items())
        raise Differs(f"one {number.name} was sent, and {told or 'nothing'} came")


def _interrupt(awaited: bytes, terminal: Terminal) -> None:
    terminal.wait_for(awaited)
    terminal.type(CTRL_C)


def _compare_outside(scratch: Scratch, number: signal.Signals) -> None:
    """Unordered: terraform reports what it stops in no fixed order."""
    results = [
        run_until(program, scratch.make_project(SLOW), BEGUN, number)
        for program in (scratch.engine, scratch.tf)
    ]
    compare(*results, ordered=False)


def _compare_typed(scratch: Scratch) -> None:
    results = [
        run_in_terminal([program, *APPLY], scratch.make_project(SLOW), partial(_interrupt, BEGUN))
        for program in (scratch.engine, scratch.tf)
    ]
    compare(*results, ordered=False)


def run_until(
    program: Path, project: Project, awaited: bytes, number: signal.Signals
) -> CommandResult:
    """Runs an apply, and signals its process alone, no other, once it has printed `awaited`.

    Raises Differs if the process does not print that, or does not end within SECONDS.
    """
    with subprocess.Popen(
        [program, *APPLY],
        cwd=project.directory,
        env=project.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        printed = _read_until(child.stdout or (), awaited)
        child.send_signal(number)
        try:
            rest, errors = child.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            raise Differs(f"{number.name} did not end it within {SECONDS} s") from None
        return CommandResult(printed + rest, errors, child.returncode)


def _read_until(stream: Iterable[bytes], awaited: bytes) -> bytes:
    """All output up to and including the line with `awaited`. Raises Differs if none has it."""
    printed = b""
    for line in stream:
        printed += line
        if awaited in line:
            return printed
    raise Differs(f"it ended without {awaited.decode()!r}")
