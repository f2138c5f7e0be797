"""The rate limit for the requests with one API key, with a real database and relay."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import select, update
from support.endpoint import Endpoint
from support.relay import ids_by_workspace, make_event, start_relay

from tfevents.receiver.tables import PLACE
from tfevents.relay.database import open_own_database
from tfevents.relay.pace import (
    BURST,
    BURST_TOLERANCE,
    INTERVAL,
    PER_MINUTE,
    delay_requests,
    take_turn,
)
from tfevents.relay.tables import KEYS, WORKSPACES, now


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


def test_a_delay_shifts_the_turns_that_are_counted(tmp_path: Path) -> None:
    """A delay also applies to workspaces whose turn is counted already: they keep their distances,
    later turns follow them, and a second delay of the same length changes little."""
    names = dict.fromkeys(PLACE, "x")
    with open_own_database(str(tmp_path / "home")) as engine, engine.begin() as connection:
        rows = [{"id": n, "digest": str(n), "sealed": "", "turn_at": 0} for n in (1, 2)]
        connection.execute(KEYS.insert(), rows)
        at = now()
        waiting = [(1, at - 9_000), (1, at + 1_000), (1, at + 3_000), (2, at + 1_000)]
        places = [
            {**names, "workspace": str(number), "due": due, "tries": 0, "turn_of": key_id}
            for number, (key_id, due) in enumerate(waiting)
        ]
        connection.execute(WORKSPACES.insert(), places)
        connection.execute(update(KEYS).values(turn_at=at + 3_000 + BURST_TOLERANCE))
        for _ in range(2):
            delay_requests(connection, 1, 30.0)
        wanted = select(WORKSPACES.c.due).order_by(WORKSPACES.c.id)
        seconds = [round((due - at) / 1000) for due in connection.execute(wanted).scalars()]
        later = [round((take_turn(connection, key_id) - at) / 1000) for key_id in (1, 2)]
    assert (seconds, later) == ([30, 31, 33, 1], [33, 3])


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
