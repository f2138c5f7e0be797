"""A hundred runners report to two relays with one PostgreSQL, while a relay is killed and the
service is unavailable."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle, groupby
from pathlib import Path

import httpx
import pytest
from support.endpoint import Endpoint
from support.machine import until
from support.postgres import Postgres
from support.receiver import Receiver
from support.relay import ids_by_workspace, make_event, start_relay
from support.step import NORMAL, answer

from tfevents.relay.senders import THREADS

pytestmark = pytest.mark.exhaustive

RUNNERS, EACH = 100, 10


def report(relays: Sequence[Receiver], number: int) -> list[str]:
    """The work of one runner, with its own key and workspace: it sends each event to the relays in
    turn until one of them answers 200. Returns the ids of its events."""
    workspace, places = f"w{number}", cycle(relays[number % 2 :] + relays[: number % 2])
    ids = [f"{workspace}-{i}" for i in range(EACH)]
    for event_id in ids:
        while not is_taken(next(places), workspace, event_id):
            pass
    return ids


def is_taken(relay: Receiver, workspace: str, event_id: str) -> bool:
    """Whether the relay answered with 200."""
    try:
        answered = relay.send(make_event(event_id), workspace, key=f"pat.acct.{workspace}.s3cr3t")
    except httpx.TransportError:
        return False
    return answered.status_code == 200


def ids_of(endpoint: Endpoint) -> list[str]:
    """The ids of all recorded events."""
    return [one for ids in ids_by_workspace(endpoint.requests).values() for one in ids]


def test_every_event_once_and_in_order(tmp_path: Path, endpoint: Endpoint) -> None:
    """Each event arrives in order and once, although one relay is killed (SIGKILL) while both send,
    and the service is unavailable until all runners are done. Only the events that the killed relay
    was sending may arrive twice, directly after each other."""
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres())
        shared = ("--database", postgres.url)
        relays = [
            stack.enter_context(start_relay(tmp_path / name, endpoint.url, *shared))
            for name in ("first", "second")
        ]
        runners = stack.enter_context(ThreadPoolExecutor(RUNNERS))
        sent = [runners.submit(report, relays, number) for number in range(RUNNERS)]
        endpoint.wait_for(RUNNERS, timeout=120)
        relays[0].kill()
        endpoint.always(answer(503))
        expected = {f"w{number}": one.result() for number, one in enumerate(sent)}
        endpoint.wait_for_requests(len(endpoint.requests) + 3, timeout=60)
        endpoint.always(NORMAL)
        until(lambda: len(set(ids_of(endpoint))) == RUNNERS * EACH, timeout=240)
        found = ids_by_workspace(endpoint.requests)
        assert {name: [one for one, _ in groupby(ids)] for name, ids in found.items()} == expected
        assert len(ids_of(endpoint)) - RUNNERS * EACH <= THREADS
