"""The latest runs and their events, or one of them in full: as it is now."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tfevents.cli.log.document import make_document
from tfevents.cli.log.rows import list_rows, make_table
from tfevents.cli.log.run_view import show_run
from tfevents.cli.output import write_json
from tfevents.errors import TfeventsError
from tfevents.journal.history import EVERYTHING, HistoryFilter, HistoryItem, list_latest
from tfevents.journal.journal import Journal
from tfevents.terminal import print_line

LATEST = 20


def find_limit(wanted: HistoryFilter) -> int | None:
    """How many are shown where nobody says it; None is all."""
    return None if wanted.id or wanted.since or wanted.undelivered else LATEST


def show_latest(
    journal: Journal, wanted: HistoryFilter, limit: int | None, *, as_json: bool
) -> None:
    """On stdout. Raises TfeventsError where a run is named and it is not one."""
    items = list_latest(journal, limit, wanted)
    for line in journal.unreadable:
        print_line(line)
    if wanted.id and len(items) != 1:
        raise TfeventsError(_explain_count(wanted.id, len(items)))
    if as_json:
        write_json(make_document(items))
    elif wanted.id:
        show_run(items[0])
    else:
        _show_table(items, wanted)


def _show_table(items: Sequence[HistoryItem], wanted: HistoryFilter) -> None:
    if items:
        make_table(row for item in items for row in list_rows(item)).show()
    elif wanted == EVERYTHING:
        click.echo("nothing has been recorded yet: run `tf plan` or `tf apply`")
    else:
        click.echo("nothing in the journal is like that")


def _explain_count(run_id: str, count: int) -> str:
    if not count:
        return f"the journal has no run {run_id}: tfevents log lists them"
    return f"{run_id} is the beginning of {count} runs: say more of it"
