"""Defines the command `tfevents log` and its options."""

from __future__ import annotations

import os
import time
from typing import Any

import click


def _parse_since(context: click.Context, parameter: click.Parameter, text: str | None) -> str:
    from tfevents.cli.log.since import parse_since

    try:
        return parse_since(text, time.time()) if text is not None else ""
    except ValueError:
        what = f"{text!r} is no time: say 90m, 2h, 7d, 2026-11-28 or 2026-11-28T10:00"
        raise click.BadParameter(what, context, parameter) from None


def _check_run(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    if text == "":
        raise click.BadParameter("it is empty", context, parameter)
    return text


@click.command()
@click.argument("run", required=False, metavar="[RUN]", callback=_check_run)
@click.option("--workspace", metavar="ID", help="Only what goes to this IaCM workspace.")
@click.option(
    "--since",
    metavar="TIME",
    callback=_parse_since,
    help="Only what ran since: 2h, 7d, 2026-11-28.",
)
@click.option("--undelivered", is_flag=True, help="Only events that wait or were refused.")
@click.option(
    "--follow", "-f", "follows", is_flag=True, help="Then show what happens, until Ctrl-C."
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="One JSON document instead of a table; with --follow one a line.",
)
@click.option(
    "-n",
    "limit",
    type=click.IntRange(1, 10_000),
    help="How many runs.  [default: 20; with --since or --undelivered all]",
)
def log(run: str | None, follows: bool, as_json: bool, limit: int | None, **criteria: Any) -> None:
    """Show the latest runs with their events, or all of one run.

    The newest are last, each event with what became of it. RUN is the id of a run or of one of its
    events, or how it begins.
    """
    from tfevents.cli.log.follow import follow
    from tfevents.cli.log.latest import find_limit, show_latest, show_one
    from tfevents.delivery.flush import find_journal
    from tfevents.journal import recovery
    from tfevents.journal.history import EVERYTHING, HistoryFilter
    from tfevents.settings.home import find_home

    wanted = HistoryFilter(**criteria)
    if run and (follows or limit or wanted != EVERYTHING):
        raise click.UsageError("of RUN everything is shown: it takes no option but --json")
    journal = find_journal(find_home(os.environ))
    recovery.recover_abandoned(journal, os.environ)
    limit = limit or find_limit(wanted)
    if run:
        show_one(journal, run, as_json=as_json)
    elif follows:
        follow(journal, wanted, limit, os.environ, as_json=as_json)
    else:
        show_latest(journal, wanted, limit, as_json=as_json)
