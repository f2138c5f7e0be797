"""The pace of a key, in a real database."""

from __future__ import annotations

from pathlib import Path

from tfevents.relay.database import open_own_database
from tfevents.relay.pace import PER_MINUTE, rest, take_turn
from tfevents.relay.tables import KEYS


def test_no_minute_has_more_than_400_requests(tmp_path: Path) -> None:
    """However many there are to be sent; at first some go at once, and each key has its own."""
    rows = [{"id": n, "digest": str(n), "sealed": "", "turn_at": 0} for n in (1, 2)]
    with open_own_database(str(tmp_path / "home")) as engine, engine.begin() as connection:
        connection.execute(KEYS.insert(), rows)
        first = [take_turn(connection, 1) for _ in range(1000)]
        other = take_turn(connection, 2)
        rest(connection, 2, 60.0)
        rested = take_turn(connection, 2)
    begin = first[19]
    turns = [max(begin, turn) for turn in first]
    busiest = max(sum(at <= turn < at + 60_000 for turn in turns) for at in turns)
    assert 300 < busiest <= PER_MINUTE
    assert other <= begin + 5000 < rested
