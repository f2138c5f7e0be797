"""Opens a relay's database, its own SQLite file or a shared PostgreSQL, in the newest version."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tfevents.errors import SettingError, StoreUnavailable
from tfevents.receiver.database import migrate, open_sqlite

NAME, LOCK = "relay.db", "relay.lock"
MIGRATIONS = os.path.join(os.path.dirname(__file__), "migrations")
DRIVER = "postgresql+psycopg"
CONNECTIONS = 20
"""The most connections to a shared database: two for each sender thread, some for arriving
events."""
SECONDS = 10
"""Timeout of a shared database: for connecting, for the acknowledgement of sent data, for a lock,
and for a free connection of the pool."""


@contextmanager
def open_own_database(home: str) -> Iterator[Engine]:
    """The SQLite file in the directory `home`, locked for one relay. It has a single connection,
    which all threads share in turn.

    Raises OSError, SettingError if another relay uses `home`, and StoreUnavailable.
    """
    engine = open_sqlite(home, NAME, connections=1)
    with _lock_home(home), _use(engine):
        yield engine


@contextmanager
def open_shared_database(url: str) -> Iterator[Engine]:
    """The PostgreSQL at `url`, which any number of relays can share.

    Raises SettingError and StoreUnavailable; their messages never contain the password.
    """
    parsed = _parse_url(url)
    engine = create_engine(
        parsed,
        connect_args={"connect_timeout": SECONDS, "tcp_user_timeout": SECONDS * 1000},
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        max_overflow=0,
        pool_pre_ping=True,
        pool_size=CONNECTIONS,
        pool_timeout=SECONDS,
    )
    event.listen(engine, "connect", _prepare_postgresql)
    try:
        engine.connect().close()
    except SQLAlchemyError:  # its text may quote the URL
        where = f"the database {parsed.database} at {parsed.host or 'its socket'}"
        raise StoreUnavailable(f"{where} can't be reached, or lets nobody in") from None
    with _use(engine):
        yield engine


def _prepare_postgresql(connection: Any, _record: object) -> None:
    """Sets timeouts on a new connection: the locks of a relay that hangs, or whose machine has
    failed, must not block the other relays."""
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '60s'")
        cursor.execute(f"SET lock_timeout = '{SECONDS}s'")
    connection.commit()


@contextmanager
def _use(engine: Engine) -> Iterator[None]:
    """Migrates the database to the newest version; closes its connections when the context ends."""
    try:
        migrate(engine, MIGRATIONS)
        yield
    finally:
        engine.dispose()


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = make_url("none://")
    if parsed.drivername not in ("postgresql", "postgres", DRIVER):
        raise SettingError("--database: this is no postgresql://USER@HOST/NAME")
    return parsed.set(drivername=DRIVER)


@contextmanager
def _lock_home(home: str) -> Iterator[None]:
    flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    with open(os.open(os.path.join(home, LOCK), flags, 0o600), "rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            words = f"another relay uses {home}: give this one another --home"
            raise SettingError(words) from None
        yield
