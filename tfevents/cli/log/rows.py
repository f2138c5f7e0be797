"""Makes the rows of `log`: one for each event, with its reason, or for a run without events."""

from __future__ import annotations

import calendar
import time
from collections.abc import Iterable, Iterator

from msgspec import Struct

from tfevents.cli.output import Table
from tfevents.journal.history import HistoryItem
from tfevents.reporting.summary import describe_counts

TITLES = ("when", "id", "exit", "delivery", "event", "run")
"""Short columns come first, because a row is cut at the edge of a narrow terminal."""
COLOURS = {
    **{"delivered": "green", "pending": "yellow", "refused": "bold red", "killed": "red"},
    **{"failed": "red", "running": "cyan", "open": "cyan"},
}
HALF_A_YEAR = 180 * 86_400
LONGEST_SUMMARY = 60
"""The most characters of an event's summary, so that a long one does not hide the next column."""
SHOWN_ID_LENGTH = 8
"""The characters of a run's id that are shown, enough to identify it."""


class LogRow(Struct, frozen=True):
    """One row of the table.

    `subject`: the event's id; the run's for a run without events. `state`: the event's status, or
    how the run ended. `note`: the text below the row, "" for none.
    """

    cells: tuple[str, ...]
    subject: str
    state: str
    note: str = ""


def make_table(rows: Iterable[LogRow]) -> Table:
    """The table of these rows."""
    rows = list(rows)
    cells, notes = [row.cells for row in rows], [row.note for row in rows]
    return Table(TITLES, cells, right=frozenset({"exit"}), colours=COLOURS, notes=notes)


def list_rows(item: HistoryItem) -> Iterator[LogRow]:
    """The rows of a run, or the row of an event that was sent by hand."""
    run, run_id = item.run, item.run_id[:SHOWN_ID_LENGTH]
    run_cell = f"{run.command or run.operation} {run.directory}" if run else _describe_no_run(item)
    if not item.events:
        cells = (_format_time(item.started_at), run_id, item.end, "-", "-", run_cell)
        yield LogRow(cells, item.run_id, item.end)
    for event in item.events:
        body = event.body
        counts = describe_counts(body.get("metadata") or {})
        summary = f"{body['event_type']}{counts}"[:LONGEST_SUMMARY]
        begin = (_format_time(event.put_at), run_id, item.end)
        cells = (*begin, event.status.value, summary, run_cell)
        yield LogRow(cells, event.event_id, event.status.value, event.reason or "")


def _describe_no_run(item: HistoryItem) -> str:
    """The last column for an event without a run: "by hand", or "?" if its run can't be read."""
    return "?" if "run_id" in (item.events[0].body.get("data") or {}) else "by hand"


def _format_time(at: str) -> str:
    """An RFC 3339 time in the local time zone; only the day if it is over half a year away."""
    seconds = calendar.timegm(time.strptime(at[:19], "%Y-%m-%dT%H:%M:%S"))
    recent = abs(time.time() - seconds) < HALF_A_YEAR
    return time.strftime("%m-%d %H:%M:%S" if recent else "%Y-%m-%d", time.localtime(seconds))
