"""`tfevents flush`: sends the events that wait in the journal, and prints the result."""

from __future__ import annotations

import os
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING

import click

from tfevents.terminal import print_line, printable

if TYPE_CHECKING:
    from rich.status import Status

    from tfevents.delivery.flush import FlushSummary

PROGRESS_AFTER = 1.0
"""Seconds after which progress is shown."""


@click.command()
@click.option("--refused", is_flag=True, help="Also send the events that the server has refused.")
@click.option(
    *("--timeout", "seconds"),
    type=click.FloatRange(0, 86400),
    metavar="SECONDS",
    help="Stop after this many seconds.  [default: after 60 without a delivery]",
)
@click.option(
    "--assign", metavar="WORKSPACE", help="Assign this workspace to the events that have none."
)
@click.option("--directory", metavar="D", help="Assign only events of this directory.")
@click.option(
    "--tf-workspace", metavar="NAME", help="Assign only events of this terraform workspace."
)
@click.option("--org", metavar="ID", help="The organization of that workspace.")
@click.option("--project", metavar="ID", help="The project of that workspace.")
def flush(refused: bool, seconds: float | None, assign: str | None, **options: str | None) -> int:
    """Send the events that wait in the journal.

    Each event is sent once, and those of one workspace in order. An event without a workspace waits
    until its directory's settings file names one, or --assign gives it one. If events of several
    directories or terraform workspaces wait, --assign needs --directory or --tf-workspace. Exits
    with 1 if not all arrived.
    """
    from tfevents.delivery.flush import Flush
    from tfevents.journal.ownership import Assignment
    from tfevents.settings.load import load_settings

    if assign is None and any(options.values()):
        name = next(name for name, value in options.items() if value)
        raise click.UsageError(f"--{name.replace('_', '-')} goes with --assign WORKSPACE")
    settings = load_settings(os.environ, os.getcwd())
    for note in settings.notes:
        print_line(note)
    assignment = None if assign is None else Assignment(assign, **options)
    with Progress() as progress:
        work = Flush(settings, os.environ, refused, seconds, assignment)
        result = work.run(progress.show)
    for line in describe_result(result):
        click.echo(printable(line))
    return 1 if result.has_undelivered else 0


def describe_result(result: FlushSummary) -> list[str]:
    """The lines to print: numbers of events, reasons, and what to do about those not delivered."""
    numbers = {"delivered": result.delivered, "refused": result.refused, "kept": result.kept}
    summary = ", ".join(f"{n} {status}" for status, n in numbers.items() if n)
    lines = [f"{_format_count(result.assigned, 'event')} assigned"] if result.assigned else []
    lines += [summary or "nothing waits", *result.reasons]
    if result.closed:
        lines.append(f"{_format_count(result.closed, 'run')} without an end, closed")
    if result.left:
        lines.append(f"{result.left} refused earlier, sent again by: tfevents flush --refused")
    if result.dropped:
        lines.append(f"{_format_count(result.dropped, 'undelivered event')} dropped: too many")
    return lines


def _format_count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class Progress:
    """Shows a flush's progress on stderr, if that is a terminal and PROGRESS_AFTER has passed."""

    def __init__(self) -> None:
        self._status: Status | None = None
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer and self._status:
            self._timer.cancel()
            self._timer.join()
            self._status.stop()

    def show(self, tried: int, total: int) -> None:
        """Reports that `tried` of `total` events have been sent."""
        if not total or not sys.stderr.isatty():
            return
        if self._status is None:
            self._begin(total)
        elif tried:
            self._status.update(f"delivering {_format_count(total, 'event')}: {tried} sent")

    def _begin(self, total: int) -> None:
        from rich.console import Console

        self._status = Console(stderr=True).status(f"delivering {_format_count(total, 'event')}")
        self._timer = threading.Timer(PROGRESS_AFTER, self._status.start)
        self._timer.start()
