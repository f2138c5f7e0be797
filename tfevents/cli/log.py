"""`tfevents log`: the latest runs and their events, as a table or as JSON."""

from __future__ import annotations

import calendar
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import asdict

from tfevents.cli.output import Table, write_json
from tfevents.terminal import print_line

if TYPE_CHECKING:
    from tfevents.journal.history import HistoryItem
    from tfevents.journal.models import Run, StoredEvent

TITLES = ("when", "exit", "delivery", "tries", "event", "run")
"""The short ones first: a row is cut at the edge of a narrow terminal."""
COLOURS = {
    **{"delivered": "green", "pending": "yellow", "refused": "bold red", "killed": "red"},
    **{"failed": "red", "running": "cyan", "open": "cyan"},
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.option(
    "-n", "limit", type=click.IntRange(1, 10_000), default=20, help="How many runs.  [default: 20]"
)
def log(as_json: bool, limit: int) -> None:
    """Show the latest runs and their events.

    The newest are last, each event with what became of it.
    """
    from tfevents.delivery.flush import find_journal
    from tfevents.journal import recovery
    from tfevents.journal.history import list_latest
    from tfevents.settings.home import find_home

    journal = find_journal(find_home(os.environ))
    recovery.recover_abandoned(journal, os.environ)
    items = list_latest(journal, limit)
    for line in journal.unreadable:
        print_line(line)
    if as_json:
        write_json(make_document(items))
    elif items:
        make_table(items).show()
    else:
        click.echo("nothing has been recorded yet: run `tf plan` or `tf apply`")


def make_document(items: Sequence[HistoryItem]) -> dict[str, Any]:
    """The shape of `log --json`: the runs with their events, and the events of no run."""
    return {
        "runs": [_make_run(item, item.run) for item in items if item.run],
        "events": [_make_event(e) for item in items if not item.run for e in item.events],
    }


def _make_run(item: HistoryItem, run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "command": run.command,
        "operation": run.operation,
        "mode": run.mode,
        "directory": run.directory,
        "opened_at": run.opened_at,
        "ended_at": run.ended_at,
        "exit_code": run.exit_code,
        "open": run.ended_at is None,
        "events": [_make_event(event) for event in item.events],
    }


def _make_event(event: StoredEvent) -> dict[str, Any]:
    from tfevents.journal.history import find_reason

    return {
        "event_id": event.event_id,
        "status": event.status.value,
        "reason": find_reason(event),
        "attempts": event.attempts,
        "put_at": event.put_at,
        "settled_at": event.settled_at,
        "destination": asdict(event.destination),
        "event": event.body,
    }


def make_table(items: Iterable[HistoryItem]) -> Table:
    """A row for each event, below it why it stays; a run without any has one of its own."""
    noted = [row for item in items for row in _make_rows(item)]
    rows, notes = [row for row, _ in noted], [note for _, note in noted]
    right = frozenset({"exit", "tries"})
    return Table(TITLES, rows, right=right, colours=COLOURS, notes=notes)


def _make_rows(item: HistoryItem) -> Iterator[tuple[list[str], str]]:
    """Each row, and what stands below it."""
    from tfevents.journal.history import find_reason
    from tfevents.reporting.summary import in_short

    run = item.run
    about = f"{run.command or run.operation} {run.directory}" if run else _name(item)
    if not item.events:
        yield [_format_time(item.at), item.end, "-", "", "-", about], ""
    for event in item.events:
        what = f"{event.body['event_type']}{in_short(event.body.get('metadata') or {})}"
        delivery = [event.status.value, str(event.attempts)]
        row = [_format_time(event.put_at), item.end, *delivery, what, about]
        yield row, find_reason(event) or ""


def _name(item: HistoryItem) -> str:
    """What has no run to be read: an event that was sent by hand, or one of a run that is lost."""
    return "?" if "run_id" in (item.events[0].body.get("data") or {}) else "by hand"


def _format_time(at: str) -> str:
    """An RFC 3339 time as the reader's clock shows it."""
    seconds = calendar.timegm(time.strptime(at[:19], "%Y-%m-%dT%H:%M:%S"))
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
