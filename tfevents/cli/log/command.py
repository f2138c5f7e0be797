"""`tfevents log`: the latest runs and their events, as a table or as JSON."""

from __future__ import annotations

import os

import click

from tfevents.cli.output import write_json
from tfevents.terminal import print_line


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.option(
    "-n", "limit", type=click.IntRange(1, 10_000), default=20, help="How many runs.  [default: 20]"
)
def log(as_json: bool, limit: int) -> None:
    """Show the latest runs and their events.

    The newest are last, each event with what became of it.
    """
    from tfevents.cli.log.document import make_document
    from tfevents.cli.log.rows import make_table
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
