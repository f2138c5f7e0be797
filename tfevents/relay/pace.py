"""Limits the rate of requests with one key: 400 in any minute, counted in the database, so that the
limit holds for all relays that share it.

The generic cell rate algorithm: each request moves the key's `turn_at` forward by one interval, and
may be sent once `turn_at` is no further ahead of the clock than the length of a burst.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from tfevents.relay.tables import KEYS, now

PER_MINUTE, BURST = 400, 20
INTERVAL = -(-60_000 // (PER_MINUTE - BURST))
"""Milliseconds between two requests; even a minute that begins with a full burst has no more than
PER_MINUTE requests."""
BURST_TOLERANCE = (BURST - 1) * INTERVAL


def take_turn(connection: Connection, key_id: int) -> int:
    """Counts one request with a key; returns when it may be sent, in milliseconds since 1970 (a
    time in the past: now)."""
    wanted = select(KEYS.c.turn_at).where(KEYS.c.id == key_id).with_for_update()
    begin = max(now(), connection.execute(wanted).scalar_one())
    _set_turn(connection, key_id, begin + INTERVAL)
    return int(begin - BURST_TOLERANCE)


def delay_requests(connection: Connection, key_id: int, seconds: float) -> None:
    """Delays the next request with a key by `seconds`, as the server has asked."""
    until = now() + int(seconds * 1000) + BURST_TOLERANCE
    later = update(KEYS).where(KEYS.c.id == key_id, KEYS.c.turn_at < until)
    connection.execute(later.values(turn_at=until))


def _set_turn(connection: Connection, key_id: int, turn_at: int) -> None:
    connection.execute(update(KEYS).where(KEYS.c.id == key_id).values(turn_at=turn_at))
