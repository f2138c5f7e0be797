"""What waits to be delivered, in the database: a workspace's next event, and what became of it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, ScalarSelect, and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tfevents.delivery.sender import choose_pause
from tfevents.errors import DeliveryError, Refused, Unauthorized, Unreachable
from tfevents.journal.models import Destination
from tfevents.relay import pace
from tfevents.relay.tables import (
    DELIVERED,
    EVENTS,
    HOLDS,
    KEYS,
    REFUSED,
    WAITING,
    WAITS,
    WORKSPACES,
    now,
)

DAY = 86_400_000
KEPT_DAYS, KNOWN_DAYS = 90, 7
"""How long an event is kept that was refused, as in a journal, and how long one that was delivered
is known when it comes again."""
HELD_SECONDS = 300
"""How long a key is not tried again for a workspace that it was not taken for."""
LONGEST_REASON, LONGEST_REST = 500, 300.0
INSERTS: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Outgoing(Struct, frozen=True):
    """The next event of a workspace. `tries`: that failed before this one. `counted`: its turn has
    come. `held`: its key was not taken the last time."""

    seq: int
    workspace_id: int
    destination: Destination
    body: str
    key_id: int
    sealed: str
    tries: int
    counted: bool
    held: bool


READS = select(EVENTS.c.seq).limit(1)
"""A question that any good database answers at once."""


class Backlog(Struct, frozen=True):
    """What is not delivered. `held`: of these, whose key is not taken."""

    waiting: int = 0
    held: int = 0
    oldest_seconds: float = 0.0


def take_next(connection: Connection, workspace_id: int) -> Outgoing | None:
    """The workspace's next event; None where none is due now, and it is noted when one will be."""
    its = select(WORKSPACES).where(WORKSPACES.c.id == workspace_id, WORKSPACES.c.due <= now())
    place = connection.execute(its.with_for_update(key_share=True)).first()
    if place is None:
        return None
    found = _find_next(connection, workspace_id)
    if found is None:
        _set_due(connection, workspace_id, _end_of_holds(workspace_id))
        return None
    return Outgoing(
        seq=found.seq,
        workspace_id=workspace_id,
        destination=Destination(place.account, place.org, place.project, place.workspace),
        body=found.body,
        key_id=found.key_id,
        sealed=found.sealed,
        tries=place.tries,
        counted=place.turn_of == found.key_id,
        held=found.until is not None,
    )


def _find_next(connection: Connection, workspace_id: int) -> Any:
    """The first that waits with a key that is not held."""
    hold = and_(HOLDS.c.workspace_id == workspace_id, HOLDS.c.key_id == EVENTS.c.key_id)
    wanted = (
        select(EVENTS.c.seq, EVENTS.c.body, EVENTS.c.key_id, KEYS.c.sealed, HOLDS.c.until)
        .join(KEYS, KEYS.c.id == EVENTS.c.key_id)
        .outerjoin(HOLDS, hold)
        .where(EVENTS.c.workspace_id == workspace_id, WAITS)
        .where(or_(HOLDS.c.until.is_(None), HOLDS.c.until <= now()))
        .order_by(EVENTS.c.seq)
        .limit(1)
    )
    return connection.execute(wanted).first()


def _end_of_holds(workspace_id: int) -> ScalarSelect[Any]:
    """When the first key is tried again that an event of the workspace waits for; else NULL."""
    same = and_(HOLDS.c.workspace_id == EVENTS.c.workspace_id, HOLDS.c.key_id == EVENTS.c.key_id)
    wanted = select(func.min(HOLDS.c.until)).select_from(EVENTS).join(HOLDS, same)
    return wanted.where(EVENTS.c.workspace_id == workspace_id, WAITS).scalar_subquery()


def wait_for_turn(connection: Connection, event: Outgoing) -> bool:
    """Whether its key may be used now; else it is due when it may, and that is counted."""
    due = pace.take_turn(connection, event.key_id)
    if due <= now():
        return True
    later = update(WORKSPACES).where(WORKSPACES.c.id == event.workspace_id)
    connection.execute(later.values(due=due, turn_of=event.key_id))
    return False


def note_result(connection: Connection, event: Outgoing, error: DeliveryError | None) -> None:
    """What became of it; without an error it is upstream."""
    if error is None or isinstance(error, Refused):
        _settle(connection, event, error)
    elif isinstance(error, Unauthorized):
        _explain(connection, event, error)
        _hold(connection, event)
        _set_due(connection, event.workspace_id, now())
    else:
        _explain(connection, event, error)
        _come_back(connection, event, error)


def _settle(connection: Connection, event: Outgoing, error: Refused | None) -> None:
    delivered = {"status": DELIVERED, "body": "", "key_id": None}
    values: dict[str, Any] = {"status": REFUSED} if error else delivered
    done = update(EVENTS).where(EVENTS.c.seq == event.seq)
    connection.execute(done.values(reason=_words_of(error), **values))
    if event.held:
        connection.execute(delete(HOLDS).where(*_same_key(event)))
    _set_due(connection, event.workspace_id, now())


def _hold(connection: Connection, event: Outgoing) -> None:
    """All that came for the workspace with this key waits, and lets others pass."""
    until = now() + HELD_SECONDS * 1000
    insert = INSERTS[connection.dialect.name](HOLDS)
    held = insert.values(workspace_id=event.workspace_id, key_id=event.key_id, until=until)
    connection.execute(
        held.on_conflict_do_update(index_elements=[*HOLDS.primary_key], set_={"until": until})
    )


def _come_back(connection: Connection, event: Outgoing, error: DeliveryError) -> None:
    """When: later each time, and as the server asked."""
    again = error.again if isinstance(error, Unreachable) else None
    seconds = choose_pause(event.tries + 1)
    if again is not None:
        seconds = max(seconds, min(again, LONGEST_REST))
        pace.rest(connection, event.key_id, min(again, LONGEST_REST))
    _set_due(connection, event.workspace_id, now() + int(seconds * 1000), event.tries + 1)


def _explain(connection: Connection, event: Outgoing, error: DeliveryError) -> None:
    one = update(EVENTS).where(EVENTS.c.seq == event.seq)
    connection.execute(one.values(reason=_words_of(error)))


def _set_due(connection: Connection, workspace_id: int, due: Any, tries: int = 0) -> None:
    one = update(WORKSPACES).where(WORKSPACES.c.id == workspace_id)
    connection.execute(one.values(due=due, tries=tries, turn_of=None))


def _same_key(event: Outgoing) -> tuple[Any, ...]:
    return HOLDS.c.workspace_id == event.workspace_id, HOLDS.c.key_id == event.key_id


def _words_of(error: DeliveryError | None) -> str | None:
    return str(error)[:LONGEST_REASON] if error else None


def send_again(connection: Connection) -> int:
    """What was refused waits again; how many events that are."""
    again = update(EVENTS).where(EVENTS.c.status == REFUSED).values(status=WAITING)
    count = connection.execute(again).rowcount
    waits = select(EVENTS.c.workspace_id).where(WAITS)
    none = WORKSPACES.c.due.is_(None)
    due = update(WORKSPACES).where(none, WORKSPACES.c.id.in_(waits)).values(due=now())
    connection.execute(due)
    return count


def measure_backlog(connection: Connection) -> Backlog:
    """What waits in the whole database."""
    hold = and_(HOLDS.c.workspace_id == EVENTS.c.workspace_id, HOLDS.c.key_id == EVENTS.c.key_id)
    numbers = func.count(), func.count(HOLDS.c.until), func.min(EVENTS.c.received_at)
    wanted = select(*numbers).select_from(EVENTS).outerjoin(HOLDS, hold).where(WAITS)
    waiting, held, since = connection.execute(wanted).one()
    seconds = max(0.0, (now() - since) / 1000) if since else 0.0
    return Backlog(waiting, held, seconds)


def prune(connection: Connection) -> None:
    """Forgets history that is old, and keys that no event needs; what waits is never too old: a
    clock may be wrong."""
    at, status, received = now(), EVENTS.c.status, EVENTS.c.received_at
    known = and_(status == DELIVERED, received < at - KNOWN_DAYS * DAY)
    kept = and_(status == REFUSED, received < at - KEPT_DAYS * DAY)
    connection.execute(delete(EVENTS).where(or_(known, kept)))
    waits = select(EVENTS.c.key_id).where(EVENTS.c.status != DELIVERED)
    unused = and_(KEYS.c.turn_at < at - DAY, KEYS.c.id.not_in(waits))
    connection.execute(delete(HOLDS).where(HOLDS.c.key_id.in_(select(KEYS.c.id).where(unused))))
    connection.execute(delete(KEYS).where(unused))
