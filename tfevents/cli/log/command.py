"""`tfevents log`: the latest runs and their events, as a table or as JSON."""

from __future__ import annotations

import os
import time
from typing import Any

import click

from tfevents.cli.output import write_json
from tfevents.terminal import print_line

LATEST, MOST = 20, 10_000


def _parse_since(context: click.Context, parameter: click.Parameter, text: str | None) -> str:
    from tfevents.cli.log.since import parse_since

    try:
        return parse_since(text, time.time()) if text is not None else ""
    except ValueError:
        what = f"{text!r} is no time: say 90m, 2h, 7d, 2026-11-28 or 2026-11-28T10:00"
        raise click.BadParameter(what, context, parameter) from None


@click.command()
@click.option("--workspace", metavar="ID", help="Only what goes to this IaCM workspace.")
@click.option(
    "--since",
    metavar="TIME",
    callback=_parse_since,
    help="Only what ran since: 2h, 7d, 2026-11-28.",
)
@click.option("--undelivered", is_flag=True, help="Only events that wait or were refused.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.option(
    "-n",
    "limit",
    type=click.IntRange(1, MOST),
    help=f"How many runs.  [default: {LATEST}; all of --since and --undelivered]",
)
def log(as_json: bool, limit: int | None, **asked: Any) -> None:
    """Show the latest runs and their events.

    The newest are last, each event with what became of it.
    """
    from tfevents.cli.log.document import make_document
    from tfevents.cli.log.rows import list_rows, make_table
    from tfevents.delivery.flush import find_journal
    from tfevents.journal import recovery
    from tfevents.journal.history import EVERYTHING, HistoryFilter, list_latest
    from tfevents.settings.home import find_home

    journal = find_journal(find_home(os.environ))
    recovery.recover_abandoned(journal, os.environ)
    wanted = HistoryFilter(**asked)
    latest = MOST if wanted.since or wanted.undelivered else LATEST
    items = list_latest(journal, limit or latest, wanted)
    for line in journal.unreadable:
        print_line(line)
    if as_json:
        write_json(make_document(items))
    elif items:
        make_table(row for item in items for row in list_rows(item)).show()
    elif wanted == EVERYTHING:
        click.echo("nothing has been recorded yet: run `tf plan` or `tf apply`")
    else:
        click.echo("nothing in the journal is like that")
