"""Limits the rate of requests with one key: 400 in any minute, counted in the database, so that the
limit holds for all relays that share it.

The generic cell rate algorithm: each request moves the key's `turn_at` forward by one interval, and
may be sent once `turn_at` is no further ahead of the clock than the length of a burst.
"""

from __future__ import annotations

from sqlalchemy import Connection, case, select, update

from tfevents.relay.tables import KEYS, WORKSPACES, now

PER_MINUTE, BURST = 400, 20
INTERVAL = -(-60_000 // (PER_MINUTE - BURST))
"""Milliseconds between two requests; even a minute that begins with a full burst has no more than
PER_MINUTE requests."""
BURST_TOLERANCE = (BURST - 1) * INTERVAL


def take_turn(connection: Connection, key_id: int) -> int:
    """Counts one request with a key; returns when it may be sent, in milliseconds since 1970 (a
    time in the past: now)."""
    begin = max(now(), _lock_turn(connection, key_id))
    _set_turn(connection, key_id, begin + INTERVAL)
    return int(begin - BURST_TOLERANCE)


def delay_requests(connection: Connection, key_id: int, seconds: float) -> None:
    """Delays all requests with a key by `seconds`, as the server has asked: also those whose turn
    is counted already, which keep their distances."""
    at = now()
    until = at + int(seconds * 1000)
    turn_at = _lock_turn(connection, key_id)
    shift = _delay_counted(connection, key_id, at, until)
    _set_turn(connection, key_id, max(turn_at + shift, until + BURST_TOLERANCE))


def _delay_counted(connection: Connection, key_id: int, at: int, until: int) -> int:
    """Shifts the counted turns of a key so that the first one is not before `until`; returns by how
    many milliseconds. `at`: the current time.

    The rows are locked in order of their ids, as by arriving events, to avoid deadlocks.
    """
    counted, due = WORKSPACES.c.turn_of == key_id, WORKSPACES.c.due
    lock = select(due).where(counted).order_by(WORKSPACES.c.id).with_for_update(key_share=True)
    first = min(connection.execute(lock).scalars(), default=until)
    shift = max(0, until - max(at, first))
    later = case((due + shift < until, until), else_=due + shift)
    connection.execute(update(WORKSPACES).where(counted).values(due=later))
    return shift


def _lock_turn(connection: Connection, key_id: int) -> int:
    wanted = select(KEYS.c.turn_at).where(KEYS.c.id == key_id).with_for_update()
    return int(connection.execute(wanted).scalar_one())


def _set_turn(connection: Connection, key_id: int, turn_at: int) -> None:
    connection.execute(update(KEYS).where(KEYS.c.id == key_id).values(turn_at=turn_at))
