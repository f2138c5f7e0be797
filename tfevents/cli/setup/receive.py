"""`tfevents receive`: the contract's endpoint on loopback, and a page that shows it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tfevents.errors import TfeventsError

if TYPE_CHECKING:
    from tfevents.receiver.faults import Outage

EXTRA = frozenset({"alembic", "jinja2", "sqlalchemy", "starlette", "uvicorn"})
"""What `tfevents[receive]` installs."""


def _parse_outages(
    context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[Outage, ...]:
    """`STATUS:TIMES` texts. Raises BadParameter."""
    from tfevents.receiver.faults import parse_outage

    try:
        return tuple(parse_outage(text) for text in texts)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from None


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8484,
    help="Where it listens; 0 is any free port.  [default: 8484]",
)
@click.option(
    "--home",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Where it keeps what it got.  [default: TFEVENTS_HOME]",
)
@click.option(
    "--fail",
    multiple=True,
    metavar="STATUS[:TIMES]",
    callback=_parse_outages,
    help="Answer the next TIMES events so; may be repeated.",
)
@click.option(
    "--refuse",
    multiple=True,
    metavar="STATUS",
    callback=_parse_outages,
    help="Answer every event so, after what --fail says.",
)
@click.option(
    "--delay",
    type=click.FloatRange(0, 3600),
    default=0.0,
    metavar="SECONDS",
    help="Answer that much later.",
)
def receive(
    port: int, home: str | None, fail: tuple[Outage, ...], refuse: tuple[Outage, ...], delay: float
) -> None:
    """Receive events on this machine, and show them on a page.

    It honours the contract as the service does, and can be told to misbehave.
    """
    from tfevents.receiver.faults import Faults
    from tfevents.settings.home import find_home

    try:
        from tfevents.receiver import app, database, server, store
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        words = "receive needs what is not installed: pip install 'tfevents[receive]'"
        raise TfeventsError(words) from None
    with server.listen(port) as listener:
        kept = store.Store(database.open_database(os.path.abspath(home or find_home(os.environ))))
        url = server.url_of(listener)
        click.echo(describe(url, server.list_settings(url)))
        server.run_server(app.make_app(kept, Faults(fail + refuse, delay)), listener)
        kept.close()


def describe(url: str, settings: Sequence[str]) -> str:
    """What to open, and what to say in the other terminal."""
    typed = "\n".join(f"  {line}" for line in (*settings, "tf apply"))
    shown = f"tfevents shows what it receives: {url}/"
    return f"{shown}\nIn another terminal:\n\n{typed}\n\nCtrl-C stops it."
