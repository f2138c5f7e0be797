"""The queues of undelivered events in the database: finds the next event of a workspace, and
records the result of each attempt."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, ScalarSelect, and_, delete, func, or_, select, update

from tfevents.delivery.sender import choose_pause
from tfevents.errors import DeliveryError, Refused, Unauthorized, Unreachable
from tfevents.journal.models import Destination
from tfevents.receiver.database import make_insert
from tfevents.relay import pace
from tfevents.relay.keys import Keys
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
REFUSED_DAYS, DELIVERED_DAYS = 90, 7
"""Days that a refused event is kept, as in a journal, and that a delivered event is remembered, so
that it is not delivered again when a runner resends it."""
HELD_SECONDS = 300
"""Seconds until a key is tried again for a workspace for which the server refused it."""
LONGEST_REASON, LONGEST_RETRY_AFTER = 500, 300.0
EVENT_HOLD = and_(HOLDS.c.workspace_id == EVENTS.c.workspace_id, HOLDS.c.key_id == EVENTS.c.key_id)
"""The condition that joins an event with the hold on its key for its workspace."""


class Outgoing(Struct, frozen=True):
    """The next event of a workspace.

    `sealed`: the key as `Keys.seal` returned it. `tries`: the workspace's failed attempts in a row.
    `turn_taken`: its request is already counted in the key's rate, and its turn has come. `held`:
    the server refused the key for this workspace at the last attempt.
    """

    seq: int
    workspace_id: int
    destination: Destination
    body: str
    key_id: int
    sealed: str
    tries: int
    turn_taken: bool
    held: bool


HEALTH_QUERY = select(EVENTS.c.seq).limit(1)
"""A cheap query for the health check."""


class Backlog(Struct, frozen=True):
    """The numbers of waiting events. `held`: those of them whose key the server refused for their
    workspace. `oldest_seconds`: the age of the oldest; 0.0 if none waits."""

    waiting: int = 0
    held: int = 0
    oldest_seconds: float = 0.0


def take_next(connection: Connection, workspace_id: int) -> Outgoing | None:
    """The next event of a workspace; None if the workspace is not due, or has no event to send now.

    If all its events wait for keys on hold, the workspace becomes due when the first hold expires;
    if none waits, its `due` becomes NULL.
    """
    wanted = select(WORKSPACES).where(WORKSPACES.c.id == workspace_id, WORKSPACES.c.due <= now())
    place = connection.execute(wanted.with_for_update(key_share=True)).first()
    if place is None:
        return None
    found = _find_next(connection, workspace_id)
    if found is None:
        _set_due(connection, workspace_id, _select_first_expiry(workspace_id))
        return None
    return Outgoing(
        seq=found.seq,
        workspace_id=workspace_id,
        destination=Destination(place.account, place.org, place.project, place.workspace),
        body=found.body,
        key_id=found.key_id,
        sealed=found.sealed,
        tries=place.tries,
        turn_taken=place.turn_of == found.key_id,
        held=found.until is not None,
    )


def _find_next(connection: Connection, workspace_id: int) -> Any:
    """The workspace's oldest waiting event whose key is not on hold, as a row; None without any."""
    wanted = (
        select(EVENTS.c.seq, EVENTS.c.body, EVENTS.c.key_id, KEYS.c.sealed, HOLDS.c.until)
        .join(KEYS, KEYS.c.id == EVENTS.c.key_id)
        .outerjoin(HOLDS, EVENT_HOLD)
        .where(EVENTS.c.workspace_id == workspace_id, WAITS)
        .where(or_(HOLDS.c.until.is_(None), HOLDS.c.until <= now()))
        .order_by(EVENTS.c.seq)
        .limit(1)
    )
    return connection.execute(wanted).first()


def _select_first_expiry(workspace_id: int) -> ScalarSelect[Any]:
    """A subquery: when the first hold on a key of the workspace's waiting events expires, or
    NULL."""
    wanted = select(func.min(HOLDS.c.until)).select_from(EVENTS).join(HOLDS, EVENT_HOLD)
    return wanted.where(EVENTS.c.workspace_id == workspace_id, WAITS).scalar_subquery()


def take_turn_or_postpone(connection: Connection, event: Outgoing) -> bool:
    """Counts a request in the rate of the event's key; returns whether it may be sent now.

    If not, the workspace becomes due at the time of that turn, which is not counted again.
    """
    due = pace.take_turn(connection, event.key_id)
    if due <= now():
        return True
    later = update(WORKSPACES).where(WORKSPACES.c.id == event.workspace_id)
    connection.execute(later.values(due=due, turn_of=event.key_id))
    return False


def record_result(connection: Connection, event: Outgoing, error: DeliveryError | None) -> None:
    """Records the result of an attempt, and when the workspace is due next. `error`: None if the
    event was delivered."""
    if error is None or isinstance(error, Refused):
        _record_final_result(connection, event, error)
    elif isinstance(error, Unauthorized):
        _record_reason(connection, event, error)
        _hold_key(connection, event)
        _set_due(connection, event.workspace_id, now())
    else:
        _record_reason(connection, event, error)
        _schedule_retry(connection, event, error)


def _record_final_result(connection: Connection, event: Outgoing, error: Refused | None) -> None:
    delivered = {"status": DELIVERED, "body": "", "key_id": None}
    values: dict[str, Any] = {"status": REFUSED} if error else delivered
    done = update(EVENTS).where(EVENTS.c.seq == event.seq)
    connection.execute(done.values(reason=_format_reason(error), **values))
    if event.held:
        connection.execute(delete(HOLDS).where(*_match_hold(event)))
    _set_due(connection, event.workspace_id, now())


def _hold_key(connection: Connection, event: Outgoing) -> None:
    """Puts the event's key on hold for its workspace: all events with this key wait, and events
    with other keys are sent before them."""
    until = now() + HELD_SECONDS * 1000
    insert = make_insert(connection, HOLDS)
    held = insert.values(workspace_id=event.workspace_id, key_id=event.key_id, until=until)
    connection.execute(
        held.on_conflict_do_update(index_elements=[*HOLDS.primary_key], set_={"until": until})
    )


def _schedule_retry(connection: Connection, event: Outgoing, error: DeliveryError) -> None:
    """Schedules the workspace's next attempt: with exponential backoff, but not before the server's
    Retry-After (at most LONGEST_RETRY_AFTER), which holds for all requests with the same key."""
    retry_after = error.retry_after if isinstance(error, Unreachable) else None
    seconds = choose_pause(event.tries + 1)
    if retry_after is not None:
        seconds = max(seconds, min(retry_after, LONGEST_RETRY_AFTER))
        pace.delay_requests(connection, event.key_id, min(retry_after, LONGEST_RETRY_AFTER))
    _set_due(connection, event.workspace_id, now() + int(seconds * 1000), event.tries + 1)


def _record_reason(connection: Connection, event: Outgoing, error: DeliveryError) -> None:
    one = update(EVENTS).where(EVENTS.c.seq == event.seq)
    connection.execute(one.values(reason=_format_reason(error)))


def _set_due(connection: Connection, workspace_id: int, due: Any, tries: int = 0) -> None:
    one = update(WORKSPACES).where(WORKSPACES.c.id == workspace_id)
    connection.execute(one.values(due=due, tries=tries, turn_of=None))


def _match_hold(event: Outgoing) -> tuple[Any, ...]:
    return HOLDS.c.workspace_id == event.workspace_id, HOLDS.c.key_id == event.key_id


def _format_reason(error: DeliveryError | None) -> str | None:
    return str(error)[:LONGEST_REASON] if error else None


def requeue_refused(connection: Connection) -> int:
    """Makes all refused events wait again; returns how many they are."""
    again = update(EVENTS).where(EVENTS.c.status == REFUSED).values(status=WAITING)
    count = connection.execute(again).rowcount
    waiting = select(EVENTS.c.workspace_id).where(WAITS)
    idle = WORKSPACES.c.due.is_(None), WORKSPACES.c.id.in_(waiting)
    connection.execute(update(WORKSPACES).where(*idle).values(due=now()))
    return count


def reseal_keys(connection: Connection, keys: Keys) -> None:
    """Encrypts the stored keys with the current secret, so that an older one can be removed."""
    wanted = select(KEYS.c.id, KEYS.c.sealed).order_by(KEYS.c.id)
    for row in connection.execute(wanted).all():
        sealed = keys.reseal(row.sealed)
        if sealed is not None:
            connection.execute(update(KEYS).where(KEYS.c.id == row.id).values(sealed=sealed))


def measure_backlog(connection: Connection) -> Backlog:
    """The backlog of the whole database."""
    numbers = func.count(), func.count(HOLDS.c.until), func.min(EVENTS.c.received_at)
    wanted = select(*numbers).select_from(EVENTS).outerjoin(HOLDS, EVENT_HOLD).where(WAITS)
    waiting, held, since = connection.execute(wanted).one()
    seconds = max(0.0, (now() - since) / 1000) if since else 0.0
    return Backlog(waiting, held, seconds)


def prune(connection: Connection) -> None:
    """Deletes old delivered and refused events, and keys that were not used for a day
    and that no undelivered event needs.

    Waiting events are kept whatever their age, since the clock may be wrong.
    """
    at, status, received = now(), EVENTS.c.status, EVENTS.c.received_at
    old_delivered = and_(status == DELIVERED, received < at - DELIVERED_DAYS * DAY)
    old_refused = and_(status == REFUSED, received < at - REFUSED_DAYS * DAY)
    connection.execute(delete(EVENTS).where(or_(old_delivered, old_refused)))
    needed = select(EVENTS.c.key_id).where(EVENTS.c.status != DELIVERED)
    unused = and_(KEYS.c.turn_at < at - DAY, KEYS.c.id.not_in(needed))
    connection.execute(delete(HOLDS).where(HOLDS.c.key_id.in_(select(KEYS.c.id).where(unused))))
    connection.execute(delete(KEYS).where(unused))
