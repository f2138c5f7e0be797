"""How fast a key may be used: 400 requests in any minute, counted in the database by all relays.

The generic cell rate algorithm: each request moves the key's `turn_at` on by one interval, and may
go as soon as that is no further ahead of the clock than a burst is long.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from tfevents.relay.tables import KEYS, now

PER_MINUTE, BURST = 400, 20
INTERVAL = -(-60_000 // (PER_MINUTE - BURST))
"""Milliseconds: with a whole burst at its start no minute has more than PER_MINUTE."""
AHEAD = (BURST - 1) * INTERVAL


def take_turn(connection: Connection, key_id: int) -> int:
    """When the key's next request may go, in milliseconds since 1970; it is counted."""
    wanted = select(KEYS.c.turn_at).where(KEYS.c.id == key_id).with_for_update()
    begin = max(now(), connection.execute(wanted).scalar_one())
    _set_turn(connection, key_id, begin + INTERVAL)
    return int(begin - AHEAD)


def rest(connection: Connection, key_id: int, seconds: float) -> None:
    """The server has asked for a pause."""
    until = now() + int(seconds * 1000) + AHEAD
    later = update(KEYS).where(KEYS.c.id == key_id, KEYS.c.turn_at < until)
    connection.execute(later.values(turn_at=until))


def _set_turn(connection: Connection, key_id: int, turn_at: int) -> None:
    connection.execute(update(KEYS).where(KEYS.c.id == key_id).values(turn_at=turn_at))
