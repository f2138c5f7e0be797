"""`log --follow`: prints the latest runs, then each change of a run or an event as it happens."""

from __future__ import annotations

import json
import select
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

import click
from msgspec.structs import replace

from tfevents.cli.log.document import make_entry
from tfevents.cli.log.rows import LogRow, list_rows, make_table
from tfevents.journal import recovery
from tfevents.journal.history import (
    BEING_SENT,
    HistoryFilter,
    HistoryItem,
    list_items,
    list_latest,
)
from tfevents.journal.journal import Journal
from tfevents.journal.ownership import UNTRIED
from tfevents.terminal import print_line

SECONDS = 0.5
"""Seconds between two checks of the journal."""
WIDTHS = {"when": 14, "id": 8, "exit": 7, "delivery": 9, "event": 20}
"""Minimum widths of the columns, as later rows are not known when the first are printed."""


class GrowingTable:
    """A table that prints its titles once, then a row each time an event's status changes.

    A run without events has a row of its own.
    """

    def __init__(self) -> None:
        self._states: dict[str, tuple[str, str]] | None = None

    def add(self, items: Sequence[HistoryItem]) -> None:
        """Prints a row for each event or run of these items whose status or note has changed."""
        rows = [_without_advice(row) for item in items for row in list_rows(item)]
        states = {row.subject: (row.state, row.note) for row in rows}
        before = self._states or {}
        new = [row for row in rows if before.get(row.subject) != states[row.subject]]
        replace(make_table(new), widths=WIDTHS, headed=self._states is None).show()
        self._states = {**before, **states}


def _without_advice(row: LogRow) -> LogRow:
    """The row without a note that will soon be outdated: that an event waits or is being sent."""
    return replace(row, note="") if row.note in (UNTRIED, BEING_SENT) else row


def print_lines(items: Sequence[HistoryItem]) -> None:
    """Prints each item as one line of JSON."""
    for item in items:
        click.echo(json.dumps(make_entry(item)))


def follow(
    journal: Journal,
    wanted: HistoryFilter,
    limit: int | None,
    env: Mapping[str, str],
    *,
    as_json: bool,
) -> None:
    """Prints until interrupted. Raises BrokenPipeError if stdout is a pipe without a reader."""
    add, printed_problems = print_lines if as_json else GrowingTable().add, 0
    for items in _watch(journal, wanted, limit, env):
        for line in journal.unreadable[printed_problems:]:
            print_line(line)
        printed_problems = len(journal.unreadable)
        add(items)
        sys.stdout.flush()


def _watch(
    journal: Journal, wanted: HistoryFilter, limit: int | None, env: Mapping[str, str]
) -> Iterator[Sequence[HistoryItem]]:
    """Yields the latest items, then each time the journal changes the items that have changed."""
    version, before = journal.version(), journal.find_all_states()
    yield list_latest(journal, limit, wanted)
    while True:
        _wait()
        closed = recovery.recover_abandoned(journal, env)
        if closed or version != journal.version():
            version, now = journal.version(), journal.find_all_states()
            changed = [run_id for run_id, outline in now.items() if before.get(run_id) != outline]
            yield list_items(journal, changed, wanted)
            before = now


def _wait() -> None:
    """Sleeps for SECONDS. Raises BrokenPipeError if stdout is a pipe without a reader."""
    stdout = select.poll()
    stdout.register(sys.stdout, 0)
    if any(state & (select.POLLERR | select.POLLHUP) for _, state in stdout.poll(0)):
        raise BrokenPipeError
    time.sleep(SECONDS)
