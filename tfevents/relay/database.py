"""The database of a relay: how it is opened, in its newest version, and by how many."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from tfevents.errors import SettingError
from tfevents.receiver.database import migrate, open_sqlite

NAME, LOCK = "relay.db", "relay.lock"
MIGRATIONS = os.path.join(os.path.dirname(__file__), "migrations")


@contextmanager
def open_own_database(home: str) -> Iterator[Engine]:
    """The SQLite file in `home`, for one relay; it has one connection, and all take their turns.

    Raises OSError, SettingError where another relay uses it, and StoreUnavailable.
    """
    engine = open_sqlite(home, NAME, connections=1)
    with _lock_home(home):
        try:
            migrate(engine, MIGRATIONS)
            yield engine
        finally:
            engine.dispose()


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
