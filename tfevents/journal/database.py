"""Opens the journal's SQLite file, creates and migrates its tables, and runs transactions."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

from tfevents.errors import JournalUnavailable
from tfevents.settings.home import create_private, make_home

Row: TypeAlias = sqlite3.Row

VERSION = 1
"""The tables' version, kept in `user_version`; 0 is a new file or that of the first versions."""
TABLES = (
    """create table if not exists runs (
        run_id text primary key, key text, command text, operation text, mode text,
        directory text, opened_at text, ended_at text, exit_code integer, base text
    )""",
    """create table if not exists events (
        seq integer primary key autoincrement, event_id text unique, run_id text,
        account text, org text, project text, workspace text, body text,
        status text, reason text, attempts integer default 0, put_at text, settled_at text,
        directory text, tf_workspace text, given text
    )""",
    "create table if not exists claims (lane text primary key, owner text)",
)
ADDED = ("directory", "tf_workspace", "given")
"""Columns of `events` that version 0 lacks."""
INDEXES = (
    "create index if not exists events_pending on events (status, seq)",
    """create index if not exists events_queue on events
        (workspace, project, org, account, status, directory, tf_workspace)""",
    "create index if not exists events_run on events (run_id)",
    "create index if not exists events_put on events (put_at)",
    "create index if not exists runs_key on runs (key, ended_at)",
    "create index if not exists runs_open on runs (key, opened_at) where ended_at is null",
)
BUSY_SECONDS, POLL_SECONDS = 5.0, 0.02
LOCKED = "database is locked"
"""The message of SQLITE_BUSY; Python 3.10 does not expose the error code."""
LONGEST_REASON = 200
ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises: UnicodeDecodeError where its message quotes a damaged file's text."""


class Connection(sqlite3.Connection):
    """A connection that retries for BUSY_SECONDS while another process holds SQLite's lock; after
    that, no statement waits again until one has succeeded, as a run has many statements.

    SQLite's own busy handler retries at ever longer intervals: among many processes, the one that
    has waited longest would get the lock last.
    """

    _has_timed_out = False

    def execute(self, statement: str, values: Any = ()) -> sqlite3.Cursor:
        """As in sqlite3. Raises OperationalError after BUSY_SECONDS of waiting for a lock."""
        end = time.monotonic() + (0.0 if self._has_timed_out else BUSY_SECONDS)
        while True:
            try:
                cursor = super().execute(statement, values)
            except sqlite3.OperationalError as error:
                if LOCKED not in str(error):
                    raise
                if time.monotonic() > end:
                    self._has_timed_out = True
                    raise
            else:
                self._has_timed_out = False
                return cursor


class Database:
    """An open journal file, which several threads may use."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()

    def close(self) -> None:
        """Closes the connection; without this call, no data is lost."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction with the write lock from its start, rolled back if the block raises.

        Raises JournalUnavailable for SQLite's errors.
        """
        try:
            with self._lock:  # threads share the connection, and with it the transaction
                self._connection.execute("begin immediate")
                try:
                    yield self._connection
                    self._connection.execute("commit")
                except BaseException:
                    self._roll_back()
                    raise
        except ERRORS as error:
            raise JournalUnavailable(f"the journal can't be written: {_describe(error)}") from None

    def _roll_back(self) -> None:
        """Rolls back; suppresses SQLite's errors, so that the original one is raised."""
        with suppress(*ERRORS):
            if self._connection.in_transaction:
                self._connection.execute("rollback")

    def query(self, statement: str, values: Iterable[Any] = ()) -> list[Row]:
        """All rows of a query. Raises JournalUnavailable."""
        try:
            with self._lock:
                return self._connection.execute(statement, tuple(values)).fetchall()
        except ERRORS as error:
            raise JournalUnavailable(f"the journal can't be read: {_describe(error)}") from None


def open_file(home: str) -> Database:
    """Opens the journal's file under `home`; creates it if missing. Raises JournalUnavailable."""
    path = os.path.join(home, "journal.db")
    try:
        if not os.path.isabs(home):
            raise JournalUnavailable("there is no home directory: name one with TFEVENTS_HOME")
        make_home(home)
        with suppress(FileExistsError):
            os.close(create_private(path))
        return Database(connect(path))
    except (OSError, *ERRORS) as error:
        raise JournalUnavailable(f"the journal {path} can't be used: {_describe(error)}") from None


def _describe(error: Exception) -> str:
    """An error's text in one bounded line: of a damaged file, SQLite quotes whole statements."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(reason.split())[:LONGEST_REASON]


def connect(path: str) -> Connection:
    """Opens a file, created if missing, or `:memory:`, and creates the tables. Raises ERRORS."""
    db = sqlite3.connect(
        path,
        timeout=POLL_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
    )
    db.row_factory = sqlite3.Row
    db.text_factory = _decode
    db.execute("pragma journal_mode = truncate")  # the rollback journal: its file is created once
    db.execute("pragma synchronous = full")
    if _version(db) < VERSION:
        _migrate(db)
    return db


def _decode(text: bytes) -> str:
    """Text as UTF-8; an invalid byte becomes U+FFFD instead of failing the whole query."""
    return text.decode(errors="replace")


def _version(db: Connection) -> int:
    (version,) = db.execute("pragma user_version").fetchone()
    return int(version)


def _migrate(db: Connection) -> None:
    """Creates the tables, or adds what those of version 0 lack.

    The events of version 0 have no directory afterwards, so no directory's settings complete their
    destination.
    """
    db.execute("begin immediate")  # a second process waits here, then finds it done
    try:
        if _version(db) < VERSION:
            for statement in (*TABLES, *_list_alter_statements(db), *INDEXES):
                db.execute(statement)
            db.execute(f"pragma user_version = {VERSION}")
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise


def _list_alter_statements(db: Connection) -> list[str]:
    existing = {row["name"] for row in db.execute("pragma table_info(events)")}
    return [
        f"alter table events add column {name} text"
        for name in ADDED
        if existing and name not in existing
    ]


def list_marks(values: Iterable[Any]) -> str:
    """A placeholder `?` for each of these values."""
    return ", ".join("?" for _ in values)


def insert_row(
    db: Connection, table: str, columns: Mapping[str, Any], on_conflict: str = ""
) -> None:
    """Inserts a row. `on_conflict`: the whole clause; without one, a known row raises an error."""
    names = ", ".join(columns)
    statement = f"insert into {table} ({names}) values ({list_marks(columns)}){on_conflict}"  # noqa: S608  # literals
    db.execute(statement, tuple(columns.values()))


def insert_rows(
    db: Connection,
    table: str,
    columns: str,
    rows: Iterable[Iterable[Any]],
    on_conflict: str = "do nothing",
) -> None:
    """Inserts rows, each in the order of `columns`. `on_conflict`: what to do with known ones."""
    placeholders = list_marks(columns.split(","))
    insert = f"insert into {table} ({columns}) values ({placeholders}) on conflict {on_conflict}"  # noqa: S608  # literals
    db.executemany(insert, [tuple(row) for row in rows])


def renumber(db: Connection) -> None:
    """Renumbers the pending events (`seq`) in the order of the times at which they were put."""
    waiting = db.execute("select seq, put_at from events where status = 'pending' order by seq")
    before = waiting.fetchall()
    after = sorted(before, key=lambda row: str(row["put_at"]))
    moved = [(new["seq"], old["seq"]) for new, old in zip(before, after, strict=True) if new != old]
    db.executemany("update events set seq = -? where seq = ?", moved)
    db.executemany("update events set seq = -seq where seq = -?", [(new,) for new, _ in moved])
