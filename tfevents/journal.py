"""Runs and events, durable: an event is here before any byte of it is sent.

One SQLite file, shared by any number of processes and containers. No value of a plan or state,
no address and no argv is ever in it.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from tfevents import presence
from tfevents.entry import Destination, Entry, NewEvent, Run, Status, lane_of, now
from tfevents.errors import JournalUnavailable
from tfevents.home import create_private, make_home

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` is slow to wake
    import sqlite3
    from typing import Any
else:
    import _sqlite3 as sqlite3  # the same but for dates, for which it would wake `datetime`

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
RUN = "run_id, key, command, operation, mode, directory, opened_at, ended_at, exit_code, base"
EVENT = (
    "event_id, run_id, account, org, project, workspace, body, status, reason, attempts, put_at,"
    " settled_at"
)
"""By name: a later version that shares this home may have added columns."""
BUSY_SECONDS = 5.0
KEPT_DAYS = 90
KEPT_EVENTS = 10_000


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
                    *(_text(run.directory), run.opened_at, _json(run.base or {})),
                ),
            )

    def end_run(
        self,
        run_id: str,
        exit_code: int | None,
        events: Iterable[NewEvent] = (),
        owner: str | None = None,
    ) -> bool:
        """Records the end and its events in one step; False where the run had ended before.

        `owner`: who is going to send them at once, and claims them by the way if that can be done.
        """
        with self._writing() as db:
            ended = db.execute(
                "update runs set ended_at = ?, exit_code = ? where run_id = ? and ended_at is null",
                (now(), exit_code, run_id),
            )
            if ended.rowcount != 1:
                return False
            for event in events:
                _insert(db, event)
            if owner:
                self._claim(db, {lane_of(event.destination) for event in events}, owner)
        return True

    def runs(self, limit: int = 50) -> list[Run]:
        """The latest runs, the newest first."""
        return self._runs("order by opened_at desc, rowid desc limit ?", limit)

    def run(self, run_id: str) -> Run | None:
        """One run."""
        found = self._runs("where run_id = ?", run_id)
        return found[0] if found else None

    def open_runs(self, key: str | None = None) -> list[Run]:
        """Runs without an end: of one key, or of processes where there is no key."""
        which = "key is ?" if key else "key is null and ? is null"
        return self._runs(f"where ended_at is null and {which} order by opened_at", key)

    def _runs(self, which: str, *values: Any) -> list[Run]:
        query = f"select {RUN} from runs {which}"  # noqa: S608  # literals of this module
        return [_run(row) for row in self._rows(query, values)]

    def open_hooks(self) -> list[Run]:
        """Runs that a hook opened and none has closed."""
        return self._runs("where ended_at is null and key is not null order by opened_at")

    def last_hook(self, key: str) -> Run | None:
        """The latest run of this key, open or ended."""
        return next(iter(self._runs("where key = ? order by opened_at desc limit 1", key)), None)

    # Events

    def put(self, event: NewEvent) -> None:
        """Committed to the disk when this returns. Raises JournalUnavailable."""
        with self._writing() as db:
            _insert(db, event)

    def entries(self, limit: int = 50, run_id: str | None = None) -> list[Entry]:
        """The latest events, the newest first."""
        which = "where ?1 is null or run_id = ?1 order by seq desc limit ?2"
        return self._entries(which, run_id, limit)

    def loose(self, limit: int = 50) -> list[Entry]:
        """The latest events that belong to no run (sent by hand), the newest first."""
        which = "where run_id not in (select run_id from runs) order by seq desc limit ?"
        return self._entries(which, limit)

    def waiting(self, lane: str | None = None, *, refused: bool = False) -> list[Entry]:
        """What still has to be sent, the oldest first: of one lane, or all."""
        states = (Status.PENDING.value, Status.REFUSED.value if refused else Status.PENDING.value)
        entries = self._entries("where status in (?, ?) order by seq", *states)
        return [entry for entry in entries if lane is None or lane_of(entry.destination) == lane]

    def _entries(self, which: str, *values: Any) -> list[Entry]:
        query = f"select seq, {EVENT} from events {which}"  # noqa: S608  # literals of this module
        return [_entry(row) for row in self._rows(query, values)]

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

    def claim(self, lanes: Iterable[str], owner: str) -> bool:
        """Whether `owner` may send these lanes now: all or none. A claim whose owner is gone is
        void."""
        lanes = set(lanes)
        held = self._rows("select lane from claims where owner = ?", (owner,))
        if lanes <= {lane for (lane,) in held}:
            return True
        with self._writing() as db:
            return self._claim(db, lanes, owner)

    def _claim(self, db: sqlite3.Connection, lanes: Iterable[str], owner: str) -> bool:
        if any(self._sender(db, lane) not in (None, owner) for lane in lanes):
            return False
        claims = [(lane, owner) for lane in lanes]
        db.executemany("insert or replace into claims values (?, ?)", claims)
        return True

    def _sender(self, db: sqlite3.Connection, lane: str) -> str | None:
        """Who has claimed a lane, and lives."""
        row = db.execute("select owner from claims where lane = ?", (lane,)).fetchone()
        living = row and self.home and presence.alive(self.home, row[0])
        return str(row[0]) if living else None

    def busy(self, owner: str) -> bool:
        """Whether a living process other than `owner` is sending."""
        rows = self._rows("select distinct owner from claims where owner != ?", (owner,))
        return any(self.home and presence.alive(self.home, row[0]) for row in rows)

    def release(self, owner: str) -> None:
        """Gives back everything that `owner` claimed."""
        with self._writing() as db:
            db.execute("delete from claims where owner = ?", (owner,))

    # What is not kept here for ever

    def prune(self) -> int:
        """Bounds the journal by age and number; gives how many undelivered events were dropped."""
        old = "(put_at < ?1 or seq <= (select max(seq) from events) - ?2)"
        oldest = time.strftime("%Y-%m-%d", time.gmtime(time.time() - KEPT_DAYS * 86400))
        bounds = (oldest, KEPT_EVENTS)
        query = f"select status != 'delivered' from events where {old}"  # noqa: S608  # a literal
        if not self._rows(f"{query} limit 1", bounds):
            return 0
        with self._writing() as db:
            lost = sum(row[0] for row in db.execute(query, bounds))
            db.execute(f"delete from events where {old}", bounds)  # noqa: S608  # a literal
            db.execute("delete from runs where opened_at < ?", (oldest,))
        return int(lost)

    def hand_over(self, other: Journal) -> int:
        """Moves all but what somebody is just sending to another journal; gives how many events.

        Killed between the two commits, an event is in both under one `event_id`: the next time it
        is not taken again.
        """
        with self._writing() as db:
            rows = db.execute(f"select seq, {EVENT} from events order by seq").fetchall()  # noqa: S608  # literals
            idle = [row for row in rows if not self._sender(db, lane_of(_entry(row).destination))]
            runs = db.execute(f"select {RUN} from runs where ended_at is not null").fetchall()  # noqa: S608  # literals
            other.take_over(runs, [tuple(row)[1:] for row in idle])
            db.executemany("delete from events where seq = ?", [(row["seq"],) for row in idle])
            db.execute("delete from runs where ended_at is not null")
        return len(idle)

    def take_over(self, runs: Iterable[Iterable[Any]], events: Iterable[Iterable[Any]]) -> None:
        """The other side of `hand_over`: rows, in the order of RUN and EVENT."""
        with self._writing() as db:
            for table, columns, rows in (("runs", RUN, runs), ("events", EVENT, events)):
                marks = ", ".join("?" * len(columns.split(",")))
                insert = f"insert or ignore into {table} ({columns}) values ({marks})"  # noqa: S608  # literals
                db.executemany(insert, [tuple(row) for row in rows])


def _insert(db: sqlite3.Connection, event: NewEvent) -> None:
    where = event.destination
    db.execute(
        "insert into events (event_id, run_id, account, org, project, workspace, body, status,"
        " put_at) values (?,?,?,?,?,?,?,?,?)",
        (
            *(event.event_id, event.run_id),
            *(where.account, where.org, where.project, where.workspace),
            *(_json(event.body), Status.PENDING.value, now()),
        ),
    )


def _json(value: Any) -> str:
    return _text(json.dumps(value, ensure_ascii=False))


def _text(text: str) -> str:
    """What can be stored and sent: `?` for what is no character (in a directory's name, say)."""
    return text.encode(errors="replace").decode()


def _run(row: sqlite3.Row) -> Run:
    fields = dict(row)
    return Run(**{**fields, "base": _read(fields["base"] or "{}")})


def _entry(row: sqlite3.Row) -> Entry:
    fields = dict(row)
    destination = Destination(*(fields.pop(n) for n in ("account", "org", "project", "workspace")))
    known = fields["status"] in {status.value for status in Status}
    return Entry(
        **{
            **fields,
            "destination": destination,
            "body": _read(fields["body"]),
            "status": Status(fields["status"]) if known else Status.REFUSED,
        }
    )


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError):
        raise JournalUnavailable("the journal is damaged: move it away to start anew") from None


def open_journal(home: str) -> Journal:
    """The journal under `home`, made if need be. Raises JournalUnavailable."""
    path = os.path.join(home, "journal.db")
    try:
        if not os.path.isabs(home):
            raise JournalUnavailable("there is no home directory: name one with TFEVENTS_HOME")
        make_home(home)
        with suppress(FileExistsError):
            os.close(create_private(path))
        return Journal(connect(path), home)
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise JournalUnavailable(f"the journal {path} can't be used: {reason}") from None


def connect(path: str) -> sqlite3.Connection:
    """A file, made if need be, or `:memory:`, with the journal's tables. Raises sqlite3.Error."""
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.execute("pragma journal_mode = truncate")  # rolls back, and is made once
    db.execute("pragma synchronous = full")
    db.executescript(SCHEMA)
    return db
