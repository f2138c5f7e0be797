"""The pace of a key, in a real database."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.endpoint import Endpoint
from support.relay import ids_by_workspace, make_event, start_relay

from tfevents.relay.database import open_own_database
from tfevents.relay.pace import BURST, INTERVAL, PER_MINUTE, delay_requests, take_turn
from tfevents.relay.tables import KEYS


def test_no_minute_has_more_than_400_requests(tmp_path: Path) -> None:
    """However many there are to be sent; at first some go at once, and each key has its own."""
    rows = [{"id": n, "digest": str(n), "sealed": "", "turn_at": 0} for n in (1, 2)]
    with open_own_database(str(tmp_path / "home")) as engine, engine.begin() as connection:
        connection.execute(KEYS.insert(), rows)
        first = [take_turn(connection, 1) for _ in range(1000)]
        other = take_turn(connection, 2)
        delay_requests(connection, 2, 60.0)
        delayed = take_turn(connection, 2)
    begin = first[19]
    turns = [max(begin, turn) for turn in first]
    busiest = max(sum(at <= turn < at + 60_000 for turn in turns) for at in turns)
    assert 300 < busiest <= PER_MINUTE
    assert other <= begin + 5000 < delayed


@pytest.mark.exhaustive
def test_a_relay_keeps_it(tmp_path: Path, endpoint: Endpoint) -> None:
    """Of one key's events, of several workspaces, no more than may go have gone at any time."""
    with start_relay(tmp_path, endpoint.url) as relay:
        began = time.monotonic()
        for number in range(30):
            relay.send(make_event(number), f"w{number % 3}")
        endpoint.wait_for(30)
    times = [(request.at - began) * 1000 for request in endpoint.requests]
    assert all(at >= (number - BURST) * INTERVAL for number, at in enumerate(times))
    expected = {f"w{n}": [str(i) for i in range(n, 30, 3)] for n in range(3)}
    assert ids_by_workspace(endpoint.requests) == expected
