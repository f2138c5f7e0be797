"""`tfevents log`: the latest runs and their events, as a table or as JSON."""

from __future__ import annotations

import os
import time
from typing import Any

import click

from tfevents.cli.output import write_json
from tfevents.errors import TfeventsError
from tfevents.terminal import print_line

LATEST, MOST = 20, 10_000


def _parse_since(context: click.Context, parameter: click.Parameter, text: str | None) -> str:
    from tfevents.cli.log.since import parse_since

    try:
        return parse_since(text, time.time()) if text is not None else ""
    except ValueError:
        what = f"{text!r} is no time: say 90m, 2h, 7d, 2026-11-28 or 2026-11-28T10:00"
        raise click.BadParameter(what, context, parameter) from None


def _check_id(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    if text == "":
        raise click.BadParameter("it is empty", context, parameter)
    return text


@click.command()
@click.argument("id", required=False, metavar="[RUN]", callback=_check_id)
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
    help=f"How many runs.  [default: {LATEST}; with --since or --undelivered all]",
)
def log(as_json: bool, limit: int | None, **asked: Any) -> None:
    """Show the latest runs with their events, or all of one run.

    The newest are last, each event with what became of it. RUN is the id of a run or of one of its
    events, or how it begins.
    """
    from tfevents.cli.log.document import make_document
    from tfevents.cli.log.rows import list_rows, make_table
    from tfevents.cli.log.run_view import show_run
    from tfevents.delivery.flush import find_journal
    from tfevents.journal import recovery
    from tfevents.journal.history import EVERYTHING, HistoryFilter, list_latest
    from tfevents.settings.home import find_home

    journal = find_journal(find_home(os.environ))
    recovery.recover_abandoned(journal, os.environ)
    wanted = HistoryFilter(**asked)
    latest = LATEST if wanted in (EVERYTHING, HistoryFilter(workspace=wanted.workspace)) else MOST
    items = list_latest(journal, limit or latest, wanted)
    for line in journal.unreadable:
        print_line(line)
    if wanted.id and len(items) != 1:
        raise TfeventsError(_tell_how_many(wanted.id, len(items)))
    if as_json:
        write_json(make_document(items))
    elif wanted.id:
        show_run(items[0])
    elif items:
        make_table(row for item in items for row in list_rows(item)).show()
    elif wanted == EVERYTHING:
        click.echo("nothing has been recorded yet: run `tf plan` or `tf apply`")
    else:
        click.echo("nothing in the journal is like that")


def _tell_how_many(run_id: str, count: int) -> str:
    if not count:
        return f"the journal has no run {run_id}: tfevents log lists them"
    return f"{run_id} is the beginning of {count} runs: say more of it"
