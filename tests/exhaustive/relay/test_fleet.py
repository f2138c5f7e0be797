"""A hundred runners, two relays on one PostgreSQL, and all that can happen to them."""

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
    """One runner: its own key and workspace; what is not answered with 200 goes to the next relay,
    as often as it takes. The ids that it sent."""
    workspace, places = f"w{number}", cycle(relays[number % 2 :] + relays[: number % 2])
    ids = [f"{workspace}-{i}" for i in range(EACH)]
    for event_id in ids:
        while not is_taken(next(places), workspace, event_id):
            pass
    return ids


def is_taken(relay: Receiver, workspace: str, event_id: str) -> bool:
    """Whether one relay has answered so."""
    try:
        answered = relay.send(make_event(event_id), workspace, key=f"pat.acct.{workspace}.s3cr3t")
    except httpx.TransportError:
        return False
    return answered.status_code == 200


def ids_of(endpoint: Endpoint) -> list[str]:
    """Of all that was recorded."""
    return [one for ids in ids_by_workspace(endpoint.requests).values() for one in ids]


def test_every_event_once_and_in_order(tmp_path: Path, endpoint: Endpoint) -> None:
    """One relay is killed with -9 while both send; then the service is away until all runners have
    gone. What the killed one was just sending may come twice, directly after itself."""
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
