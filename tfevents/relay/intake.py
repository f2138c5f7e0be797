"""Stores arriving events: each is committed before its request is answered, many in one commit.

Events that arrive during a commit wait for the next one and are written together: the higher the
load, the larger the batches.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple
from sqlalchemy import Connection, Engine, and_, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from tfevents.errors import StoreUnavailable
from tfevents.receiver.contract import ContractError, Place
from tfevents.receiver.database import make_insert
from tfevents.receiver.tables import PLACE
from tfevents.relay.keys import Caller, Keys
from tfevents.relay.metrics import Metrics
from tfevents.relay.senders import Senders
from tfevents.relay.tables import (
    CLAIMS,
    DELIVERED,
    EVENTS,
    HOLDS,
    KEYS,
    WAITING,
    WORKSPACES,
    now,
)

MOST_EVENTS = 500
"""The most events in one commit."""
MOST_KNOWN = 50_000
"""The number of workspace ids above which the cache in memory is cleared."""
Answer = ContractError | StoreUnavailable | None
"""Why an event was not stored; None if it was."""


class ArrivingEvent(Struct, frozen=True):
    """One event to be stored. `event_id`: its data.event_id, None if it has none."""

    place: Place
    body: str
    event_id: str | None
    caller: Caller


class Intake:
    """Stores the events that one relay receives, and notifies its senders."""

    def __init__(self, engine: Engine, keys: Keys, senders: Senders, metrics: Metrics) -> None:
        self._engine, self._keys = engine, keys
        self._senders, self._metrics = senders, metrics
        self._waiting: list[tuple[ArrivingEvent, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None
        self._workspaces: dict[Place, int] = {}

    async def take_event(
        self, place: Place, caller: Caller, event: Mapping[str, Any], body: str
    ) -> None:
        """Stores one event; returns once it is committed.

        `event`: the parsed `body`. Raises ContractError (401) if the server upstream has recently
        refused the key for this workspace, and StoreUnavailable.
        """
        event_id = (event.get("data") or {}).get("event_id")
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((ArrivingEvent(place, body, event_id, caller), stored))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all())
        await stored

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_EVENTS], self._waiting[MOST_EVENTS:]
            answers: list[Answer] = [StoreUnavailable("the relay is broken")] * len(batch)
            try:
                answers = await run_in_threadpool(self._write, [arrival for arrival, _ in batch])
            finally:  # so that no request waits for ever, whatever fails
                for (_, stored), answer in zip(batch, answers, strict=True):
                    _resolve(stored, answer)

    def _write(self, batch: Sequence[ArrivingEvent]) -> list[Answer]:
        """Writes one batch in one transaction; returns the answer for each event, in order.

        If the database fails, the answer for all of them is StoreUnavailable.
        """
        try:
            with self._engine.begin() as connection:
                answers = self._insert(connection, batch)
        except SQLAlchemyError as error:  # its text may quote the values written
            self._workspaces.clear()  # some of the ids may not have been committed
            reason = type(getattr(error, "orig", None) or error).__name__
            return [StoreUnavailable(f"the relay's database: {reason}")] * len(batch)
        self._metrics.accepted.inc(answers.count(None))
        self._senders.notify()
        return answers

    def _insert(self, connection: Connection, batch: Sequence[ArrivingEvent]) -> list[Answer]:
        """Inserts the keys, workspaces and events of a batch, in this order, as every relay does:
        otherwise their transactions could deadlock. Returns the answer for each event, in order."""
        keys = self._find_keys(connection, {one.caller.digest: one.caller for one in batch})
        self._find_workspaces(connection, {one.place for one in batch})
        held = _find_holds(connection, keys.values())
        id_pairs = [(self._workspaces[one.place], keys[one.caller.digest]) for one in batch]
        rows = [
            _make_row(one, *id_pair)
            for one, id_pair in zip(batch, id_pairs, strict=True)
            if id_pair not in held
        ]
        if rows:
            _insert_events(connection, rows)
            _make_due(connection, {row["workspace_id"] for row in rows})
        words = "the server that is relayed to does not take this API key"
        refusal = ContractError(401, "unauthorized", words)
        return [refusal if id_pair in held else None for id_pair in id_pairs]

    def _find_keys(self, connection: Connection, callers: Mapping[str, Caller]) -> dict[str, int]:
        """The id of each key by its digest; new keys are inserted, sealed."""
        wanted = select(KEYS.c.digest, KEYS.c.id).where(KEYS.c.digest.in_(callers))
        found = {row.digest: row.id for row in connection.execute(wanted)}
        if missing := sorted(callers.keys() - found.keys()):
            at = now()
            rows = [
                {"digest": digest, "sealed": self._keys.seal(callers[digest].key), "turn_at": at}
                for digest in missing
            ]
            connection.execute(make_insert(connection, KEYS).on_conflict_do_nothing(), rows)
            found = {row.digest: row.id for row in connection.execute(wanted)}
        return found

    def _find_workspaces(self, connection: Connection, places: set[Place]) -> None:
        """Adds the ids of these workspaces to the cache, which never goes stale: an id never
        changes."""
        if len(self._workspaces) > MOST_KNOWN:
            self._workspaces.clear()
        for place in sorted(places - self._workspaces.keys(), key=astuple):
            self._workspaces[place] = _find_workspace(connection, place)


def _resolve(stored: asyncio.Future[None], answer: Answer) -> None:
    if stored.done():
        return  # the request was cancelled
    if answer is None:
        stored.set_result(None)
    else:
        stored.set_exception(answer)


def _find_workspace(connection: Connection, place: Place) -> int:
    """The id of a workspace; a new workspace is inserted, with its row in CLAIMS."""
    names = {name: getattr(place, name) for name in PLACE}
    wanted = select(WORKSPACES.c.id).where(*(WORKSPACES.c[name] == names[name] for name in PLACE))
    found = connection.execute(wanted).scalar()
    if found is None:
        workspace = make_insert(connection, WORKSPACES).values(**names, tries=0)
        connection.execute(workspace.on_conflict_do_nothing())
        found = connection.execute(wanted).scalar_one()
        claim = make_insert(connection, CLAIMS).values(workspace_id=found)
        connection.execute(claim.on_conflict_do_nothing())
    return int(found)


def _find_holds(connection: Connection, key_ids: Any) -> set[tuple[int, int]]:
    """The pairs of workspace id and key id on hold: the server upstream has refused the key for the
    workspace, and the hold has not expired."""
    wanted = select(HOLDS.c.workspace_id, HOLDS.c.key_id)
    wanted = wanted.where(HOLDS.c.key_id.in_(set(key_ids)), HOLDS.c.until > now())
    return {(row.workspace_id, row.key_id) for row in connection.execute(wanted)}


def _make_row(one: ArrivingEvent, workspace_id: int, key_id: int) -> dict[str, Any]:
    return {
        "workspace_id": workspace_id,
        "key_id": key_id,
        "received_at": now(),
        "status": WAITING,
        "fingerprint": hashlib.sha256(one.body.encode()).hexdigest() if one.event_id else None,
        "body": one.body,
    }


def _insert_events(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts events. An event that is stored already (same workspace and fingerprint) is not
    stored twice: unless delivered, it takes the new key and waits again, also if it was refused."""
    insert = make_insert(connection, EVENTS)
    upsert = insert.on_conflict_do_update(
        index_elements=["workspace_id", "fingerprint"],
        set_={"key_id": insert.excluded.key_id, "status": WAITING},
        where=EVENTS.c.status != DELIVERED,
    )
    connection.execute(upsert, rows)


def _make_due(connection: Connection, workspace_ids: set[int]) -> None:
    """Makes the next event of each workspace due now, unless the workspace waits for a retry or for
    a turn of its key that is counted already.

    The rows are locked before the update, because a sender that found no further event may be
    setting `due` to NULL; and in order of their ids, to avoid deadlocks.
    """
    selected = WORKSPACES.c.id.in_(workspace_ids)
    lock = select(WORKSPACES.c.id).where(selected).order_by(WORKSPACES.c.id)
    connection.execute(lock.with_for_update(key_share=True))
    at, due = now(), WORKSPACES.c.due
    waits_for_hold = and_(due > at, WORKSPACES.c.tries == 0, WORKSPACES.c.turn_of.is_(None))
    connection.execute(
        update(WORKSPACES).where(selected, or_(due.is_(None), waits_for_hold)).values(due=at)
    )
