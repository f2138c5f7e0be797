"""The table of `log`: a row for each event, and why it waits; one for a run without any."""

from __future__ import annotations

import calendar
import time
from collections.abc import Iterable, Iterator

from msgspec import Struct

from tfevents.cli.output import Table
from tfevents.journal.history import HistoryItem
from tfevents.reporting.summary import in_short

TITLES = ("when", "id", "exit", "delivery", "event", "run")
"""The short ones first: a row is cut at the edge of a narrow terminal."""
COLOURS = {
    **{"delivered": "green", "pending": "yellow", "refused": "bold red", "killed": "red"},
    **{"failed": "red", "running": "cyan", "open": "cyan"},
}
HALF_A_YEAR = 180 * 86_400
LONGEST = 60
"""Characters of an event in short: one that is broken must not push the rest out of sight."""
SHOWN_ID = 8
"""Characters of a run's id: enough to tell it by."""


class LogRow(Struct, frozen=True):
    """`note`: what stands below the cells, where it is not empty.

    `subject`: the id of the event, or of the run that has none. `state`: what became of it.
    """

    cells: tuple[str, ...]
    subject: str
    state: str
    note: str = ""


def make_table(rows: Iterable[LogRow]) -> Table:
    """For people."""
    rows = list(rows)
    cells, notes = [row.cells for row in rows], [row.note for row in rows]
    return Table(TITLES, cells, right=frozenset({"exit"}), colours=COLOURS, notes=notes)


def list_rows(item: HistoryItem) -> Iterator[LogRow]:
    """The rows of one run, or of an event that was sent by hand."""
    run, run_id = item.run, item.run_id[:SHOWN_ID]
    about = f"{run.command or run.operation} {run.directory}" if run else _name(item)
    if not item.events:
        cells = (_format_time(item.at), run_id, item.end, "-", "-", about)
        yield LogRow(cells, item.run_id, item.end)
    for event in item.events:
        what = f"{event.body['event_type']}{in_short(event.body.get('metadata') or {})}"[:LONGEST]
        begin = (_format_time(event.put_at), run_id, item.end)
        cells = (*begin, event.status.value, what, about)
        yield LogRow(cells, event.event_id, event.status.value, event.reason or "")


def _name(item: HistoryItem) -> str:
    """What has no run to be read: an event that was sent by hand, or one of a run that is lost."""
    return "?" if "run_id" in (item.events[0].body.get("data") or {}) else "by hand"


def _format_time(at: str) -> str:
    """An RFC 3339 time by the reader's clock; only the day where that is long ago."""
    seconds = calendar.timegm(time.strptime(at[:19], "%Y-%m-%dT%H:%M:%S"))
    recent = abs(time.time() - seconds) < HALF_A_YEAR
    return time.strftime("%m-%d %H:%M:%S" if recent else "%Y-%m-%d", time.localtime(seconds))
