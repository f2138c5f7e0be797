"""`tfevents receive`: runs a local server with a page of its events, or a relay."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from tfevents.errors import SettingError, TfeventsError

if TYPE_CHECKING:
    from tfevents.receiver.faults import Outage

RECEIVE = {"alembic", "fastjsonschema", "jinja2", "sqlalchemy", "starlette", "uvicorn"}
"""The packages that the extra `tfevents[receive]` installs."""
RELAY = RECEIVE | {"cryptography", "prometheus_client", "psycopg"}
"""The packages that the extra `tfevents[relay]` installs."""


class Given(Struct, frozen=True):
    """The command's options."""

    port: int
    home: str | None
    fail: tuple[Outage, ...]
    refuse: tuple[Outage, ...]
    delay: float
    forward: str | None
    host: str | None
    tls_cert: str | None
    tls_key: str | None
    database: str | None
    refused: bool


def _parse_outages(
    context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[Outage, ...]:
    """Parses `STATUS[:TIMES]` texts. Raises BadParameter."""
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
@click.option(
    "--forward",
    metavar="URL",
    help="Be a relay: keep what comes until the service at URL has taken it; no page.",
)
@click.option(
    "--database",
    envvar="TFEVENTS_RELAY_DATABASE",
    metavar="URL",
    help="A PostgreSQL that relays share, instead of a file in its home.",
)
@click.option("--refused", is_flag=True, help="A relay sends again what was refused before.")
@click.option("--host", metavar="ADDRESS", help="Where a relay listens.  [default: 127.0.0.1]")
@click.option(
    "--tls-cert",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="A relay's certificate with its chain, PEM.",
)
@click.option(
    "--tls-key", type=click.Path(dir_okay=False), metavar="FILE", help="Its private key, PEM."
)
def receive(**options: Any) -> None:
    """Receive events here, and show them or send them on.

    It honours the contract as the service does, and can be told to misbehave.
    """
    from tfevents.settings.home import find_home

    given = Given(**options)
    home = os.path.abspath(given.home or find_home(os.environ))
    if given.forward is not None:
        _relay(given, home)
    else:
        _show(given, home)


def _show(given: Given, home: str) -> None:
    """Runs the receiver, which stores events and shows them on its page."""
    if given.host or given.tls_cert or given.tls_key or given.refused:
        words = "--host, --tls-cert, --tls-key, --refused: for a relay only, see --forward"
        raise SettingError(words)
    with _installed("receive", RECEIVE):
        from tfevents.receiver import app, database, server, store
        from tfevents.receiver.faults import Faults
    with server.listen(given.port) as listener:
        kept = store.Store(database.open_database(home))
        url = server.url_of(listener)
        click.echo(describe(url, server.list_settings(url)))
        faults = Faults(given.fail + given.refuse, given.delay)
        server.run_server(app.make_app(kept, faults), listener)
        kept.close()


def _relay(given: Given, home: str) -> None:
    """Runs the relay, which stores events until the server upstream has accepted them."""
    if not (given.forward or "").strip():
        raise SettingError("--forward: the URL of the service is missing")
    if given.fail or given.refuse or given.delay:
        raise SettingError("--fail, --refuse, --delay: a relay does not misbehave")
    if bool(given.tls_cert) != bool(given.tls_key):
        raise SettingError("--tls-cert and --tls-key go together")
    with _installed("relay", RELAY):
        from tfevents.receiver.server import LOOPBACK, Certificate
        from tfevents.relay.service import Options, run_relay
    options = Options(
        forward=given.forward or "",
        host=given.host or LOOPBACK,
        port=given.port,
        home=home,
        database=given.database,
        refused=given.refused,
        certificate=Certificate(given.tls_cert, given.tls_key or "") if given.tls_cert else None,
    )
    run_relay(options, os.environ, click.echo)


@contextmanager
def _installed(extra: str, packages: set[str]) -> Iterator[None]:
    """Raises TfeventsError, which says what to install, if a package of the extra is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in packages:
            raise
        words = f"receive needs what is not installed: pip install 'tfevents[{extra}]'"
        raise TfeventsError(words) from None


def describe(url: str, settings: Sequence[str]) -> str:
    """The text that says which page to open, and what to type in another terminal."""
    typed = "\n".join(f"  {line}" for line in (*settings, "tf apply"))
    shown = f"tfevents shows what it receives: {url}/"
    return f"{shown}\nIn another terminal:\n\n{typed}\n\nCtrl-C stops it."
