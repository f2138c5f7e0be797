"""Checks that signals arrive once, and end terraform as they do without the wrapper.

They are typed in a terminal, or sent from another process.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from tfevents.selftest.check import Check, CheckFailed
from tfevents.selftest.commands import COMMAND_SECONDS, CommandResult, compare_results
from tfevents.selftest.groups.surroundings import (
    CTRL_C,
    make_probe_project,
    make_probe_scratch,
    read_report,
)
from tfevents.selftest.scratch import Project, Scratch
from tfevents.selftest.terminal_session import Terminal, run_in_terminal

SLOW_CONFIGURATION = {
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
SENT_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def list_checks(scratch: Scratch) -> Iterator[Check]:
    """The checks: signals counted by the probe, then signals during a real apply."""
    for number in SENT_SIGNALS:
        name = f"{number.name} from outside arrives once"
        yield Check("signals", name, partial(_check_sent_once, scratch, number))
    yield Check("signals", "Ctrl-C arrives once", partial(_check_typed_once, scratch))
    for number in (signal.SIGTERM, signal.SIGINT):
        name = f"{number.name} in the middle of an apply"
        yield Check("signals", name, partial(_compare_sent, scratch, number))
    name = "Ctrl-C in the middle of an apply"
    yield Check("signals", name, partial(_compare_typed, scratch))


def _check_sent_once(scratch: Scratch, number: signal.Signals) -> None:
    probe_scratch = make_probe_scratch(scratch)
    project = make_probe_project(probe_scratch, "signals")
    run_and_signal(probe_scratch.tf, project, b"ready", number)
    _require_once(project, number)


def _check_typed_once(scratch: Scratch) -> None:
    probe_scratch = make_probe_scratch(scratch)
    project = make_probe_project(probe_scratch, "signals")
    run_in_terminal([probe_scratch.tf, "apply"], project, partial(_interrupt, b"ready"))
    _require_once(project, signal.SIGINT)


def _require_once(project: Project, number: signal.Signals) -> None:
    seen = read_report(project)["signals"]
    if seen != {number.name: 1}:
        received = ", ".join(
            f"{name} {count}\N{MULTIPLICATION SIGN}" for name, count in seen.items()
        )
        raise CheckFailed(f"one {number.name} was sent, and {received or 'nothing'} came")


def _interrupt(awaited: bytes, terminal: Terminal) -> None:
    terminal.wait_for(awaited)
    terminal.type(CTRL_C)


def _compare_sent(scratch: Scratch, number: signal.Signals) -> None:
    """Unordered: terraform reports what it stops in no fixed order."""
    results = [
        run_and_signal(program, scratch.make_project(SLOW_CONFIGURATION), BEGUN, number)
        for program in (scratch.binary, scratch.tf)
    ]
    compare_results(*results, ordered=False)


def _compare_typed(scratch: Scratch) -> None:
    results = [
        run_in_terminal(
            [program, *APPLY], scratch.make_project(SLOW_CONFIGURATION), partial(_interrupt, BEGUN)
        )
        for program in (scratch.binary, scratch.tf)
    ]
    compare_results(*results, ordered=False)


def run_and_signal(
    program: Path, project: Project, awaited: bytes, number: signal.Signals
) -> CommandResult:
    """Runs an apply, and signals its process alone, no other, once it has printed `awaited`.

    Raises CheckFailed if the process does not print that, or does not end within COMMAND_SECONDS.
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
            rest, errors = child.communicate(timeout=COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            raise CheckFailed(f"{number.name} did not end it within {COMMAND_SECONDS} s") from None
        return CommandResult(printed + rest, errors, child.returncode)


def _read_until(stream: Iterable[bytes], awaited: bytes) -> bytes:
    """All output up to and including the line with `awaited`. Raises CheckFailed if none has it."""
    printed = b""
    for line in stream:
        printed += line
        if awaited in line:
            return printed
    raise CheckFailed(f"it ended without {awaited.decode()!r}")
