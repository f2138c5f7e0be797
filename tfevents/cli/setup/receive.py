"""`tfevents receive`: runs a local server with a page of its events, or a relay."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from msgspec import Struct

from tfevents.errors import SettingError, TfeventsError

if TYPE_CHECKING:
    from tfevents.receiver.faults import Outage

RECEIVE_PACKAGES = {"alembic", "fastjsonschema", "jinja2", "sqlalchemy", "starlette", "uvicorn"}
"""The packages that the extra `tfevents[receive]` installs."""
RELAY_PACKAGES = RECEIVE_PACKAGES | {"cryptography", "prometheus_client", "psycopg"}
"""The packages that the extra `tfevents[relay]` installs."""


class ReceiveOptions(Struct, frozen=True):
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
    help="The port to listen on; 0 is any free port.  [default: 8484]",
)
@click.option(
    "--home",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="The directory to store events in.  [default: TFEVENTS_HOME]",
)
@click.option(
    "--fail",
    multiple=True,
    metavar="STATUS[:TIMES]",
    callback=_parse_outages,
    help="Answer the next TIMES events with STATUS; may be repeated.",
)
@click.option(
    "--refuse",
    multiple=True,
    metavar="STATUS",
    callback=_parse_outages,
    help="Answer every event with STATUS, after those of --fail.",
)
@click.option(
    "--delay",
    type=click.FloatRange(0, 3600),
    default=0.0,
    metavar="SECONDS",
    help="Wait so many seconds before each answer.",
)
@click.option(
    "--forward",
    metavar="URL",
    help="Be a relay: keep events until the service at URL has accepted them; no page.",
)
@click.option(
    "--database",
    envvar="TFEVENTS_RELAY_DATABASE",
    metavar="URL",
    help="The PostgreSQL database that relays share, instead of a file in --home.",
)
@click.option("--refused", is_flag=True, help="A relay sends refused events again.")
@click.option(
    "--host", metavar="ADDRESS", help="The address a relay listens on.  [default: 127.0.0.1]"
)
@click.option(
    "--tls-cert",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="A relay's certificate with its chain, PEM.",
)
@click.option(
    "--tls-key",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="The certificate's private key, PEM.",
)
def receive(**values: Any) -> None:
    """Receive events here, and show them or send them on.

    Accepts and refuses what the service does, and can simulate outages.
    """
    from tfevents.settings.home import find_home

    options = ReceiveOptions(**values)
    home = options.home or find_home(os.environ)
    if not (home or (options.forward and options.database)):
        raise SettingError("--home: this user has no home directory: name a directory")
    if options.forward is not None:
        _run_relay(options, os.path.abspath(home))
    else:
        _run_receiver(options, os.path.abspath(home))


def _run_receiver(options: ReceiveOptions, home: str) -> None:
    """Runs the receiver, which stores events and shows them on its page."""
    source = click.get_current_context().get_parameter_source("database")
    typed = source is ParameterSource.COMMANDLINE  # the variable may be set for a relay
    if typed or options.host or options.tls_cert or options.tls_key or options.refused:
        names = "--database, --host, --tls-cert, --tls-key, --refused"
        raise SettingError(f"{names}: for a relay only, see --forward")
    with _require_extra("receive", RECEIVE_PACKAGES):
        from tfevents.receiver import app, database, server, store
        from tfevents.receiver.faults import Faults
    with server.listen(options.port) as listener:
        event_store = store.Store(database.open_database(home))
        url = server.url_of(listener)
        click.echo(describe_receiver(url, server.list_settings(url)))
        faults = Faults(options.fail + options.refuse, options.delay)
        server.run_server(app.make_app(event_store, faults), listener)
        event_store.close()


def _run_relay(options: ReceiveOptions, home: str) -> None:
    """Runs the relay, which stores events until the server upstream has accepted them."""
    if not (options.forward or "").strip():
        raise SettingError("--forward: the URL of the service is missing")
    if options.fail or options.refuse or options.delay:
        raise SettingError("--fail, --refuse, --delay: a relay does not simulate outages")
    if bool(options.tls_cert) != bool(options.tls_key):
        raise SettingError("--tls-cert and --tls-key go together")
    with _require_extra("relay", RELAY_PACKAGES):
        from tfevents.receiver.server import LOOPBACK, Certificate
        from tfevents.relay.service import Options, run_relay
    cert, key = options.tls_cert, options.tls_key
    certificate = Certificate(cert, key or "") if cert else None
    relay_options = Options(
        forward=options.forward or "",
        host=options.host or LOOPBACK,
        port=options.port,
        home=home,
        database=options.database,
        refused=options.refused,
        certificate=certificate,
    )
    run_relay(relay_options, os.environ, click.echo)


@contextmanager
def _require_extra(extra: str, packages: set[str]) -> Iterator[None]:
    """Raises TfeventsError, which says what to install, if a package of the extra is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in packages:
            raise
        message = f"receive needs what is not installed: pip install 'tfevents[{extra}]'"
        raise TfeventsError(message) from None


def describe_receiver(url: str, settings: Sequence[str]) -> str:
    """The text that says which page to open, and what to type in another terminal."""
    typed = "\n".join(f"  {line}" for line in (*settings, "tf apply"))
    shown = f"tfevents shows what it receives: {url}/"
    return f"{shown}\nIn another terminal:\n\n{typed}\n\nCtrl-C stops it."
