"""Runs and events, durable: an event is here before any byte of it is sent.

One SQLite file, shared by any number of processes and containers. No value of a plan or state,
no address and no argv is ever in it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from tfevents import presence
from tfevents.errors import JournalUnavailable

SCHEMA = """
create table if not exists runs (
    run_id text primary key, key text, command text, operation text, mode text,
    directory text, opened_at text, ended_at text, exit_code integer, base text
);
create table if not exists events (
    seq integer primary key autoincrement, event_id text unique, run_id text,
    account text, org text, project text, workspace text, body text,
    status text, reason text, attempts integer default 0, put_at text, settled_at text
);
create table if not exists claims (lane text primary key, owner text);
create index if not exists events_pending on events (status, seq);
create index if not exists runs_key on runs (key, ended_at);
"""
BUSY_SECONDS = 10.0
KEPT_DAYS = 90
KEPT_EVENTS = 10_000


class Status(str, Enum):
    """Where an event stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    REFUSED = "refused"


@dataclass(frozen=True)
class Destination:
    """Whose event it is; what is None was not known when the event was put."""

    account: str | None = None
    org: str | None = None
    project: str | None = None
    workspace: str | None = None

    def filled(self, other: Destination) -> Destination:
        """With what `other` knows and this does not."""
        mine = {name: value for name, value in self.__dict__.items() if value is not None}
        return replace(other, **mine)

    def missing(self) -> list[str]:
        """The names of what is not known."""
        return [name for name, value in self.__dict__.items() if value is None]


@dataclass(frozen=True)
class Run:
    """One run of the provisioner. `base`: what its end is told with if nobody sees it."""

    run_id: str
    operation: str
    mode: str
    directory: str
    opened_at: str
    key: str | None = None
    command: str | None = None
    base: Mapping[str, Any] | None = None
    ended_at: str | None = None
    exit_code: int | None = None


@dataclass(frozen=True)
class Entry:
    """An event in the journal and what became of it."""

    seq: int
    event_id: str
    run_id: str
    destination: Destination
    body: dict[str, Any]
    status: Status
    reason: str | None
    attempts: int
    put_at: str
    settled_at: str | None


def now() -> str:
    """The time as RFC 3339, UTC, to the millisecond."""
    seconds = time.time()
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"


class Journal:
    """An open journal; `home` is where its presences are, None in memory."""

    def __init__(self, connection: sqlite3.Connection, home: str | None) -> None:
        self._db = connection
        self._turn = threading.RLock()
        self.home = home

    def close(self) -> None:
        """Closed; nothing is lost by not calling it."""
        self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that has the write lock from its start. Raises JournalUnavailable."""
        try:
            with self._turn:  # threads share the connection, and would share the transaction
                self._db.execute("begin immediate")
                try:
                    yield self._db
                    self._db.execute("commit")
                except BaseException:
                    self._db.execute("rollback")
                    raise
        except sqlite3.Error as error:
            raise JournalUnavailable(f"the journal can't be written: {error}") from None

    def _rows(self, query: str, values: Iterable[Any] = ()) -> list[sqlite3.Row]:
        try:
            with self._turn:
                return self._db.execute(query, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise JournalUnavailable(f"the journal can't be read: {error}") from None

    # Runs

    def open_run(self, run: Run) -> None:
        """Records that a run has begun; what it was opened with stays when told again."""
        with self._writing() as db:
            db.execute(
                "insert into runs (run_id, key, command, operation, mode, directory, opened_at,"
                " base) values (?,?,?,?,?,?,?,?) on conflict (run_id) do update set"
                " base = excluded.base, operation = excluded.operation, mode = excluded.mode",
                (
                    *(run.run_id, run.key, run.command, run.operation, run.mode),
                    *(run.directory, run.opened_at, json.dumps(run.base or {})),
                ),
            )

    def end_run(self, run_id: str, exit_code: int | None, events: Iterable[NewEvent] = ()) -> bool:
        """Records the end and its events in one step; False where the run had ended before."""
        with self._writing() as db:
            ended = db.execute(
                "update runs set ended_at = ?, exit_code = ? where run_id = ? and ended_at is null",
                (now(), exit_code, run_id),
            )
            if ended.rowcount != 1:
                return False
            for event in events:
                _insert(db, event)
        return True

    def runs(self, limit: int = 50) -> list[Run]:
        """The latest runs, the newest first."""
        rows = self._rows("select * from runs order by opened_at desc limit ?", (limit,))
        return [_run(row) for row in rows]

    def run(self, run_id: str) -> Run | None:
        """One run."""
        rows = self._rows("select * from runs where run_id = ?", (run_id,))
        return _run(rows[0]) if rows else None

    def open_runs(self, key: str | None = None) -> list[Run]:
        """Runs without an end: of one key, or of processes where there is no key."""
        which = "key is ?" if key else "key is null and ? is null"
        query = f"select * from runs where ended_at is null and {which} order by opened_at"  # noqa: S608  # two literals
        return [_run(row) for row in self._rows(query, (key,))]

    # Events

    def put(self, event: NewEvent) -> None:
        """Committed to the disk when this returns. Raises JournalUnavailable."""
        with self._writing() as db:
            _insert(db, event)

    def entries(self, limit: int = 50, run_id: str | None = None) -> list[Entry]:
        """The latest events, the newest first."""
        rows = self._rows(
            "select * from events where ?1 is null or run_id = ?1 order by seq desc limit ?2",
            (run_id, limit),
        )
        return [_entry(row) for row in rows]

    def waiting(self, lane: str | None = None, *, refused: bool = False) -> list[Entry]:
        """What still has to be sent, the oldest first: of one lane, or all."""
        states = (Status.PENDING.value, Status.REFUSED.value if refused else Status.PENDING.value)
        rows = self._rows("select * from events where status in (?, ?) order by seq", states)
        entries = [_entry(row) for row in rows]
        return [entry for entry in entries if lane is None or lane_of(entry.destination) == lane]

    def settle(self, event_id: str, status: Status, reason: str | None = None) -> None:
        """What became of an attempt to send."""
        settled = None if status is Status.PENDING else now()
        with self._writing() as db:
            db.execute(
                "update events set status = ?, reason = ?, settled_at = ?, attempts = attempts + 1"
                " where event_id = ?",
                (status.value, reason, settled, event_id),
            )

    # Claims: events of one destination are sent by one process at a time

    def claim(self, lane: str, owner: str) -> bool:
        """Whether `owner` may send this lane now; a claim whose owner is gone is void."""
        with self._writing() as db:
            row = db.execute("select owner from claims where lane = ?", (lane,)).fetchone()
            if row and row[0] != owner and self.home and presence.alive(self.home, row[0]):
                return False
            db.execute("insert or replace into claims values (?, ?)", (lane, owner))
        return True

    def release(self, owner: str) -> None:
        """Gives back everything that `owner` claimed."""
        with self._writing() as db:
            db.execute("delete from claims where owner = ?", (owner,))

    def prune(self) -> int:
        """Bounds the journal by age and number; gives how many undelivered events were dropped."""
        oldest = time.strftime("%Y-%m-%d", time.gmtime(time.time() - KEPT_DAYS * 86400))
        with self._writing() as db:
            old = "put_at < ?1 or seq <= (select max(seq) from events) - ?2"
            lost = db.execute(
                f"select count(*) from events where status != 'delivered' and ({old})",  # noqa: S608
                (oldest, KEPT_EVENTS),
            ).fetchone()[0]
            db.execute(f"delete from events where {old}", (oldest, KEPT_EVENTS))  # noqa: S608
            db.execute("delete from runs where opened_at < ? and ended_at is not null", (oldest,))
        return int(lost)


@dataclass(frozen=True)
class NewEvent:
    """An event on its way into the journal."""

    event_id: str
    run_id: str
    destination: Destination
    body: Mapping[str, Any]


def lane_of(destination: Destination) -> str:
    """Events with the same destination are one lane: sent one after the other, in order."""
    return json.dumps(list(destination.__dict__.values()))


def _insert(db: sqlite3.Connection, event: NewEvent) -> None:
    where = event.destination
    db.execute(
        "insert into events (event_id, run_id, account, org, project, workspace, body, status,"
        " put_at) values (?,?,?,?,?,?,?,?,?)",
        (
            *(event.event_id, event.run_id),
            *(where.account, where.org, where.project, where.workspace),
            *(json.dumps(event.body, ensure_ascii=False), Status.PENDING.value, now()),
        ),
    )


def _run(row: sqlite3.Row) -> Run:
    fields = dict(row)
    return Run(**{**fields, "base": json.loads(fields["base"] or "{}")})


def _entry(row: sqlite3.Row) -> Entry:
    fields = dict(row)
    destination = Destination(*(fields.pop(n) for n in ("account", "org", "project", "workspace")))
    return Entry(
        **{
            **fields,
            "destination": destination,
            "body": json.loads(fields["body"]),
            "status": Status(fields["status"]),
        }
    )


def open_journal(home: str) -> Journal:
    """The journal under `home`, made if need be. Raises JournalUnavailable."""
    path = os.path.join(home, "journal.db")
    try:
        if not os.path.isabs(home):
            raise OSError("there is no home directory: name one with TFEVENTS_HOME")
        os.makedirs(home, mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        return Journal(_connect(path), home)
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise JournalUnavailable(f"the journal {path} can't be used: {reason}") from None


def open_spare() -> Journal:
    """A journal for when home can't be written: in the temporary directory, else in memory."""
    place = os.path.join(tempfile.gettempdir(), f"tfevents-{os.getuid()}")
    try:
        os.makedirs(place, mode=0o700, exist_ok=True)
        if os.stat(place).st_uid != os.getuid():
            place = tempfile.mkdtemp(prefix="tfevents-")
        return open_journal(place)
    except (OSError, JournalUnavailable):
        return Journal(_connect(":memory:"), None)


def _connect(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    db.row_factory = sqlite3.Row
    db.execute("pragma journal_mode = delete")
    db.execute("pragma synchronous = full")
    db.executescript(SCHEMA)
    return db
