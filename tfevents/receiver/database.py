"""Opens the receiver's SQLite database and migrates databases to the newest version."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from tfevents.errors import StoreUnavailable
from tfevents.settings.home import create_private, make_home

NAME = "received.db"
MIGRATIONS = os.path.join(os.path.dirname(__file__), "migrations")
BUSY_SECONDS = 30
INSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""SQLAlchemy's INSERT of each database; the common one has no ON CONFLICT."""


def open_database(home: str) -> Engine:
    """Opens the receiver's database in the directory `home`, migrated to the newest version.

    Raises OSError and StoreUnavailable.
    """
    engine = open_sqlite(home, NAME)
    migrate(engine, MIGRATIONS)
    return engine


def open_sqlite(home: str, name: str, connections: int = 15) -> Engine:
    """Opens the SQLite file `name` in `home`; creates the directory and the file (0600) if missing.

    `connections`: the most that are open at a time. Raises OSError.
    """
    make_home(home)
    path = os.path.join(home, name)
    if not os.path.lexists(path):
        os.close(create_private(path))
    engine = create_engine(
        URL.create("sqlite", database=path),  # a `?` in a path would begin a URL's query
        connect_args={"timeout": BUSY_SECONDS},
        hide_parameters=True,
        max_overflow=0,
        pool_size=connections,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def migrate(engine: Engine, migrations: str) -> None:
    """Migrates the database to the newest version.

    `migrations`: the directory with Alembic's env.py. Raises StoreUnavailable, also for a database
    of a newer version.
    """
    config = Config()
    config.set_main_option("script_location", migrations.replace("%", "%%"))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except (SQLAlchemyError, CommandError) as error:
        where = engine.url.database
        raise StoreUnavailable(
            f"{where} can't be used: it is no database of this version"
        ) from error


def make_insert(connection: Connection, table: Table) -> Any:
    """An INSERT into the table that can have ON CONFLICT, for SQLite or PostgreSQL."""
    return INSERTS[connection.dialect.name](table)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Configures a new connection: a committed event survives a power failure, and readers do not
    wait for a writer."""
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
