"""Runs one relay: checks its settings, opens its socket and database, and serves until a signal."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Engine

from tfevents.delivery.client import ApiClient
from tfevents.errors import SettingError
from tfevents.receiver.server import Certificate, listen, run_server, url_of
from tfevents.relay.app import Probes, RelayApi, make_app
from tfevents.relay.claims import Claims, OwnClaims, SharedClaims
from tfevents.relay.database import open_own_database, open_shared_database
from tfevents.relay.intake import Intake
from tfevents.relay.keys import MAKE_SECRET, SECRET, TOKEN, Keys, OwnKey, RunnersKeys
from tfevents.relay.metrics import Metrics
from tfevents.relay.outbox import requeue_refused, reseal_keys
from tfevents.relay.senders import Senders
from tfevents.settings.load import load_settings
from tfevents.settings.model import ApiKey, Settings
from tfevents.settings.sources import allows_http
from tfevents.settings.url import is_loopback

MOST_FILES, OWN_FILES = 8192, 256
PLACEHOLDER_KEY = ApiKey("none")
"""A placeholder for the client's key: each event is sent with a key of its own."""


class Options(Struct, frozen=True):
    """The options of a relay.

    `forward`: the URL of the server upstream. `database`: the URL of a PostgreSQL; None for a
    SQLite file in `home`. `refused`: send refused events again. `certificate`: None for plain HTTP.
    """

    forward: str
    host: str
    port: int
    home: str
    database: str | None = None
    refused: bool = False
    certificate: Certificate | None = None


def run_relay(options: Options, env: Mapping[str, str], announce: Callable[[str], None]) -> None:
    """Runs a relay until SIGINT or SIGTERM.

    `announce`: is called with lines for the user once the relay listens. Raises SettingError,
    OSError and StoreUnavailable.
    """
    settings = load_settings(env, options.home, flags={"url": options.forward})
    keys = _find_keys(env, settings)
    _check_privacy(options, env)
    with ExitStack() as stack:
        listener = stack.enter_context(listen(options.port, options.host))
        claims = stack.enter_context(_open_database(options))
        _reseal_keys(claims.engine, keys)
        metrics = Metrics()
        client = stack.enter_context(closing(ApiClient(replace(settings, api_key=PLACEHOLDER_KEY))))
        senders = Senders(claims, keys, client, metrics)
        stack.callback(senders.stop)  # before the client is closed and the database is unlocked
        intake = Intake(claims.engine, keys, senders, metrics)
        probes = Probes(claims.engine, senders, metrics)
        app = make_app(RelayApi(keys, intake, client), senders, probes)
        if options.refused:
            announce(f"{_requeue_refused(claims.engine)} refused events are sent again")
        url = url_of(listener, "https" if options.certificate else "http")
        announce(f"tfevents relays {url} to {settings.url}{settings.api_path}\nCtrl-C stops it.")
        run_server(app, listener, options.certificate, _count_connections(), lifespan=True)


@contextmanager
def _open_database(options: Options) -> Iterator[Claims]:
    """Opens the database that the options name; the context's value is the claims in it.

    Raises OSError, SettingError and StoreUnavailable.
    """
    if options.database:
        with open_shared_database(options.database) as engine:
            yield SharedClaims(engine)
    else:
        with open_own_database(options.home) as engine:
            yield OwnClaims(engine)


def _reseal_keys(engine: Engine, keys: Keys) -> None:
    with engine.begin() as connection:
        reseal_keys(connection, keys)


def _requeue_refused(engine: Engine) -> int:
    with engine.begin() as connection:
        return requeue_refused(connection)


def _find_keys(env: Mapping[str, str], settings: Settings) -> Keys:
    """The runners' keys with TFEVENTS_RELAY_SECRET, or the relay's own with TFEVENTS_RELAY_TOKEN.

    Raises SettingError unless exactly one of the two is set, for an invalid secret, and for a token
    without TFEVENTS_API_KEY.
    """
    secrets, token = (env.get(name, "").strip() for name in (SECRET, TOKEN))
    if bool(secrets) == bool(token):
        words = f"{SECRET} encrypts the keys of runners while events wait (make one: {MAKE_SECRET})"
        other = f"with {TOKEN} instead all events go with the relay's own TFEVENTS_API_KEY"
        raise SettingError(f"set one of the two: {words}; {other}")
    if secrets:
        return RunnersKeys(secrets)
    if settings.api_key is None:
        raise SettingError(f"{TOKEN} needs the relay's own key: set TFEVENTS_API_KEY")
    return OwnKey(settings.api_key, settings.account, token)


def _check_privacy(options: Options, env: Mapping[str, str]) -> None:
    """Raises SettingError if keys would cross a network unencrypted, or the certificate can't be
    used."""
    if options.certificate:
        options.certificate.check()
    elif not (is_loopback(options.host) or allows_http(env)):
        words = f"--host {options.host}: http:// shows the keys"
        raise SettingError(f"{words}: --tls-cert and --tls-key, or TFEVENTS_ALLOW_HTTP=1")


def _count_connections() -> int:
    """The most connections to accept: the limit of open files less OWN_FILES, but at least half of
    it.

    Increases the soft limit of open files to MOST_FILES, or to the hard limit if that is lower.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if 0 <= soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(files - OWN_FILES, files // 2)
