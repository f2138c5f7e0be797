"""Stores runs and events durably: an event is committed here before any byte of it is sent.

One SQLite file, shared by any number of processes and containers. It never holds a value of a plan
or state, an address or a command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, TypeAlias, TypeVar

from msgspec.structs import astuple

from tfevents.errors import UnreadableRow
from tfevents.journal import retention, run_lock
from tfevents.journal.database import (
    Database,
    Row,
    insert_row,
    insert_rows,
    list_marks,
    open_file,
    renumber,
)
from tfevents.journal.models import (
    Destination,
    EventState,
    NewEvent,
    Queue,
    Run,
    Status,
    StoredEvent,
    now,
)
from tfevents.journal.rows import (
    DESTINATION_COLUMNS,
    END_OF_KNOWN_RUN,
    EVENT,
    QUEUE,
    RUN,
    cut_reason,
    match_queue,
    match_states,
    name_destination,
    parse_event,
    parse_queue,
    parse_run,
    parse_state,
    write_event,
    write_run,
)

T = TypeVar("T")
Outline: TypeAlias = dict[str, list[Any]]

LONGEST_IDENTITY = 64
MOVABLE = "(ended_at is not null or key is not null)"


class Journal:
    """An open journal; `home`: the directory with the run locks of the processes that are alive.

    `unreadable`: a line for each row that could not be read so far; such rows are left out.
    """

    def __init__(self, database: Database, home: str) -> None:
        self._database = database
        self.home = home
        self.unreadable: list[str] = []
        self._unreadable_runs: set[Any] = set()

    def close(self) -> None:
        """Closes the file; without this call, no data is lost."""
        self._database.close()

    def _parse_rows(self, parse: Callable[[Row], T], rows: list[Row]) -> Iterator[T]:
        for row in rows:
            try:
                yield parse(row)
            except UnreadableRow as error:
                self._note_unreadable(str(error))

    def _note_unreadable(self, line: str) -> None:
        if line not in self.unreadable:
            self.unreadable.append(line)

    # Runs

    def open_run(self, run: Run) -> None:
        """Records that a run has begun; if it is known, updates only base, operation and mode."""
        with self._database.transaction() as db:
            insert_row(
                db,
                "runs",
                write_run(run),
                " on conflict (run_id) do update set base = excluded.base,"
                " operation = excluded.operation, mode = excluded.mode",
            )

    def end_run(self, run_id: str, exit_code: int | None, events: Iterable[NewEvent] = ()) -> bool:
        """Records a run's end and its events in one transaction. False where the run is unknown or
        had ended before; but a run that ended without an exit code still gets one."""
        with self._database.transaction() as db:
            ended = db.execute(
                "update runs set ended_at = ?, exit_code = ? where run_id = ?"
                " and (ended_at is null or exit_code is null and ? is not null)",
                (now(), exit_code, run_id, exit_code),
            )
            if ended.rowcount != 1:
                return False
            for event in events:
                insert_row(db, "events", write_event(event))
        return True

    def find_runs(self, limit: int = 50) -> list[Run]:
        """The latest runs, the newest first."""
        return self._select_runs("order by opened_at desc, rowid desc limit ?", limit)

    def find_run(self, run_id: str) -> Run | None:
        """The run with this id; None where there is none, or it can't be read."""
        return next(iter(self._select_runs("where run_id = ?", run_id)), None)

    def find_open_runs(self, key: str) -> list[Run]:
        """The runs without an end that have this key, in the order in which they were opened."""
        return self._select_runs("where ended_at is null and key = ? order by rowid", key)

    def _select_runs(self, clauses: str, *values: Any) -> list[Run]:
        query = f"select {RUN} from runs {clauses}"  # noqa: S608  # literals of this module
        rows = self._database.query(query, values)
        found = list(self._parse_rows(parse_run, rows))
        self._unreadable_runs |= {row["run_id"] for row in rows} - {run.run_id for run in found}
        return found

    def find_open_hook_runs(self) -> list[Run]:
        """The runs without an end that a hook opened, the oldest first."""
        return self._select_runs("where ended_at is null and key is not null order by opened_at")

    def find_last_run(self, key: str) -> Run | None:
        """The latest run with this key, open or ended."""
        return next(iter(self._select_runs("where key = ? order by rowid desc limit 1", key)), None)

    # Events

    def put(self, event: NewEvent) -> None:
        """Puts an event in the journal, committed to disk on return. Raises JournalUnavailable."""
        with self._database.transaction() as db:
            insert_row(db, "events", write_event(event))

    def find_events(self, limit: int = 50, run_id: str | None = None) -> list[StoredEvent]:
        """The latest events, of one run or of all, the newest first."""
        if run_id is not None:
            return self._select_events("where run_id = ? order by seq desc limit ?", run_id, limit)
        return self._select_events("order by seq desc limit ?", limit)

    def find_events_without_run(self, limit: int = 50) -> list[StoredEvent]:
        """The latest events sent by hand, or whose run could not be read so far, newest first."""
        lost = tuple(self._unreadable_runs)
        known = "select run_id from runs where run_id is not null"
        condition = f"run_id not in ({known}) or run_id in ({list_marks(lost)})"
        return self._select_events(f"where {condition} order by seq desc limit ?", *lost, limit)

    def find_queues(self, *, refused: bool = False) -> list[Queue]:
        """The queues with pending events (`refused`: or refused ones), the oldest event first."""
        condition, values = match_states(refused)
        columns = f"{QUEUE}, group_concat(seq) as events"
        query = f"select {columns} from events where {condition} group by {QUEUE} order by min(seq)"  # noqa: S608  # literals
        found: dict[Queue, None] = {}
        for row in self._database.query(query, values):
            try:
                found[parse_queue(row)] = None
            except UnreadableRow:
                self._refuse_unreadable(map(int, row["events"].split(",")))
        return list(found)

    def find_unsent_events(self, queue: Queue, *, refused: bool = False) -> list[StoredEvent]:
        """A queue's pending (or refused) events, oldest first; unreadable ones become refused."""
        condition, values = match_queue(queue, refused)
        # not `order by seq`: SQLite would then read the pending events of all queues
        rows = self._database.query(f"select seq, {EVENT} from events where {condition}", values)  # noqa: S608  # literals
        found = sorted(self._parse_rows(parse_event, rows), key=lambda event: event.seq)
        if len(found) < len(rows):
            self._refuse_unreadable({row["seq"] for row in rows} - {event.seq for event in found})
        return found

    def _refuse_unreadable(self, unreadable: Iterable[int]) -> None:
        """Marks unreadable rows as refused: each is reported once, and only `flush --refused`
        reads such a row again."""
        with self._database.transaction() as db:
            for seq in unreadable:
                self._note_unreadable(f"event {seq} of the journal can't be read")
                db.execute(
                    "update events set status = 'refused', reason = 'it can not be read',"
                    " given = null where seq = ?",
                    (seq,),
                )

    def find_unowned(self) -> list[StoredEvent]:
        """Pending events without an org, project or workspace, the oldest first.

        Also events that were refused at a destination that a person had assigned.
        """
        return self._select_events(
            "where status = 'pending' and (org is null or project is null or workspace is null)"
            " or status = 'refused' and given is not null order by seq"
        )

    def assign(self, events: Mapping[str, tuple[Destination, Iterable[str]]]) -> None:
        """Sets event ids' destinations, with the names of the fields that a person assigned; such
        an event is pending again. Skips events that have been delivered meanwhile."""
        rows = [
            (*astuple(destination), " ".join(names), event_id)
            for event_id, (destination, names) in events.items()
        ]
        changes = ", ".join(f"{name} = ?" for name in DESTINATION_COLUMNS)
        with self._database.transaction() as db:
            db.executemany(
                f"update events set {changes}, given = ?, status = 'pending', reason = null,"  # noqa: S608  # literals
                " settled_at = null where event_id = ? and status != 'delivered'",
                rows,
            )

    def find_states(self, *, refused: bool = False) -> dict[str, EventState]:
        """The status of each pending (`refused`: or refused) event, by event id."""
        condition, values = match_states(refused)
        query = f"select event_id, status, reason, attempts from events where {condition}"  # noqa: S608  # literals
        return {row["event_id"]: parse_state(row) for row in self._database.query(query, values)}

    def version(self) -> int:
        """A number that changes when another process has written to the journal."""
        return int(self._database.query("pragma data_version")[0][0])

    def find_all_states(self) -> dict[str, Outline]:
        """Each run id (also of events by hand) → event id → the event's status, attempts, reason;
        the empty event id stands for the run itself, with its end and exit code."""
        runs = "select run_id, '', ended_at, exit_code from runs where run_id > ''"
        events = "select run_id, event_id, status, attempts, reason from events where run_id > ''"
        found: dict[str, Outline] = {}
        for run_id, name, *state in chain(self._database.query(runs), self._database.query(events)):
            found.setdefault(run_id, {})[str(name)] = state
        return found

    def _select_events(self, clauses: str, *values: Any) -> list[StoredEvent]:
        query = f"select seq, {EVENT} from events {clauses}"  # noqa: S608  # literals of this module
        return list(self._parse_rows(parse_event, self._database.query(query, values)))

    def settle(self, event_id: str, status: Status, reason: str | None = None) -> None:
        """Records the outcome of an attempt to send an event; `reason`: why it failed."""
        settled = None if status is Status.PENDING else now()
        with self._database.transaction() as db:
            db.execute(
                "update events set status = ?, reason = ?, settled_at = ?, attempts = attempts + 1"
                " where event_id = ?",
                (status.value, cut_reason(reason), settled, event_id),
            )

    # Claims: events of one queue are sent by one process at a time

    def claim(self, queues: Iterable[Queue], owner: str) -> bool:
        """Claims all these queues for `owner`; False, with none claimed, where another living
        process has claimed one. A claim whose owner has ended is void."""
        queues = set(queues)
        held = self._database.query("select lane from claims where owner = ?", (owner,))
        if {queue.key for queue in queues} <= {lane for (lane,) in held}:
            return True
        with self._database.transaction() as db:
            if any(self._find_sender(queue) not in (None, owner) for queue in queues):
                return False
            claims = [(queue.key, owner) for queue in queues]
            db.executemany("insert or replace into claims values (?, ?)", claims)
        return True

    def _find_sender(self, queue: Queue) -> str | None:
        """The owner of a queue's claim; None without a claim, or if the owner has ended."""
        claims = self._database.query("select owner from claims where lane = ?", (queue.key,))
        return next((str(owner) for (owner,) in claims if self._is_alive(owner)), None)

    def is_being_sent(self, queue: Queue) -> bool:
        """Whether a living process has claimed the queue."""
        return self._find_sender(queue) is not None

    def _is_row_being_sent(self, row: Row) -> bool:
        try:
            return self.is_being_sent(parse_queue(row))
        except UnreadableRow:
            return False

    def has_other_sender(self, owner: str) -> bool:
        """Whether a living process other than `owner` has claimed any queue."""
        rows = self._database.query("select distinct owner from claims where owner != ?", (owner,))
        return any(self._is_alive(row[0]) for row in rows)

    def _is_alive(self, owner: Any) -> bool:
        """Whether a claim's owner holds its lock; False for a damaged value."""
        is_valid = (
            isinstance(owner, str) and 0 < len(owner) <= LONGEST_IDENTITY and owner.isprintable()
        )
        return is_valid and run_lock.is_held(self.home, owner)

    def release(self, owner: str) -> None:
        """Releases all claims of `owner`."""
        with self._database.transaction() as db:
            db.execute("delete from claims where owner = ?", (owner,))

    # Removal of rows

    def prune(self) -> int:
        """Deletes old rows as `retention.prune`; returns how many events were undelivered."""
        return retention.prune(self._database)

    def move_to(self, other: Journal) -> int:
        """Moves all runs and events to `other`; returns the number of events. What other living
        processes use stays: open runs, events being sent, and those of the runs' destinations.

        If killed between the two commits, both journals have these events; by their `event_id`,
        the next call does not insert them again.
        """
        with self._database.transaction() as db:
            rows = db.execute(f"select seq, {EVENT} from events order by seq").fetchall()  # noqa: S608  # literals
            idle = self._select_idle(rows, other)
            runs = db.execute(f"select {RUN} from runs where {MOVABLE}").fetchall()  # noqa: S608  # literals
            other.insert_moved(runs, [tuple(row)[1:] for row in idle])
            db.executemany("delete from events where seq = ?", [(row["seq"],) for row in idle])
            db.execute(f"delete from runs where {MOVABLE}")  # noqa: S608  # a literal
        return len(idle)

    def _select_idle(self, rows: list[Row], other: Journal) -> list[Row]:
        """The events that no other process uses, as `move_to`. A run's lock is in either home."""
        others = {row["run_id"] for row in rows if not run_lock.is_own(row["run_id"])}
        living = {run_id for run_id in others if self._is_alive(run_id) or other._is_alive(run_id)}
        used = {name_destination(row) for row in rows if row["run_id"] in living}
        free = [row for row in rows if name_destination(row) not in used]
        return [row for row in free if not self._is_row_being_sent(row)]

    def insert_moved(self, runs: Iterable[Iterable[Any]], events: Iterable[Iterable[Any]]) -> None:
        """Inserts rows of `move_to`, with columns in the order of RUN and EVENT; renumbers, as
        these events may be older than pending ones."""
        with self._database.transaction() as db:
            insert_rows(db, "runs", RUN, runs, END_OF_KNOWN_RUN)
            insert_rows(db, "events", EVENT, events)
            renumber(db)


def open_journal(home: str) -> Journal:
    """Opens the journal under `home`; creates it if missing. Raises JournalUnavailable."""
    return Journal(open_file(home), home)
