"""The rate limit for the requests with one API key, with a real database and relay."""

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
    """No minute has more than 400 requests with one key, though a few may go at once in the
    beginning; each key has a limit and a delay of its own."""
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
    """A relay sends the events of one key, to several workspaces, no faster than the rate limit
    allows, and those of each workspace in order."""
    with start_relay(tmp_path, endpoint.url) as relay:
        began = time.monotonic()
        for number in range(30):
            relay.send(make_event(number), f"w{number % 3}")
        endpoint.wait_for(30)
    times = [(request.at - began) * 1000 for request in endpoint.requests]
    assert all(at >= (number - BURST) * INTERVAL for number, at in enumerate(times))
    expected = {f"w{n}": [str(i) for i in range(n, 30, 3)] for n in range(3)}
    assert ids_by_workspace(endpoint.requests) == expected
