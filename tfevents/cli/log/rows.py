"""The table of `log`."""

from __future__ import annotations

import calendar
import time
from collections.abc import Iterable, Iterator

from tfevents.cli.output import Table
from tfevents.journal.history import HistoryItem, find_reason
from tfevents.reporting.summary import in_short

TITLES = ("when", "exit", "delivery", "tries", "event", "run")
"""The short ones first: a row is cut at the edge of a narrow terminal."""
COLOURS = {
    **{"delivered": "green", "pending": "yellow", "refused": "bold red", "killed": "red"},
    **{"failed": "red", "running": "cyan", "open": "cyan"},
}


def make_table(items: Iterable[HistoryItem]) -> Table:
    """A row for each event, below it why it stays; a run without any has one of its own."""
    noted = [row for item in items for row in _make_rows(item)]
    rows, notes = [row for row, _ in noted], [note for _, note in noted]
    right = frozenset({"exit", "tries"})
    return Table(TITLES, rows, right=right, colours=COLOURS, notes=notes)


def _make_rows(item: HistoryItem) -> Iterator[tuple[list[str], str]]:
    """Each row, and what stands below it."""
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
