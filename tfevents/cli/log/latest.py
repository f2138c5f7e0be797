"""Prints the latest runs with their events, or one run in full."""

from __future__ import annotations

import click

from tfevents.cli.log.document import make_document
from tfevents.cli.log.rows import list_rows, make_table
from tfevents.cli.log.run_view import show_run
from tfevents.cli.output import write_json
from tfevents.errors import TfeventsError
from tfevents.journal.history import (
    EVERYTHING,
    HistoryFilter,
    find_run_ids,
    list_items,
    list_latest,
)
from tfevents.journal.journal import Journal
from tfevents.terminal import print_line

DEFAULT_LIMIT = 20


def find_limit(wanted: HistoryFilter) -> int | None:
    """The default number of items that are shown; None for all."""
    return None if wanted.since or wanted.undelivered else DEFAULT_LIMIT


def show_latest(
    journal: Journal, wanted: HistoryFilter, limit: int | None, *, as_json: bool
) -> None:
    """Prints the latest items as a table, or as one JSON document."""
    items = list_latest(journal, limit, wanted)
    _print_unreadable(journal)
    if as_json:
        write_json(make_document(items))
    elif items:
        make_table(row for item in items for row in list_rows(item)).show()
    elif wanted == EVERYTHING:
        click.echo("nothing has been recorded yet: run `tf plan` or `tf apply`")
    else:
        click.echo("nothing in the journal is like that")


def show_one(journal: Journal, run: str, *, as_json: bool) -> None:
    """Prints the run whose id, or the id of one of whose events, begins with `run`.

    Raises TfeventsError if there is none, or more than one.
    """
    items = list_items(journal, [_find_run_id(journal, run)])
    _print_unreadable(journal)
    if as_json:
        write_json(make_document(items))
    else:
        show_run(items)


def _find_run_id(journal: Journal, run: str) -> str:
    found = find_run_ids(journal, run)
    if not found:
        raise TfeventsError(f"the journal has no run {run}: tfevents log lists them")
    if len(found) > 1:
        raise TfeventsError(f"{run} is the beginning of {len(found)} runs: say more of it")
    return found[0]


def _print_unreadable(journal: Journal) -> None:
    for line in journal.unreadable:
        print_line(line)
