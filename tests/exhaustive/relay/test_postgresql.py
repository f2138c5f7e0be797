"""Relays that share a real PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.command import Tfevents
from support.endpoint import Endpoint
from support.engines import clean_env
from support.machine import until
from support.postgres import Postgres
from support.receiver import KEY, Receiver
from support.relay import NOBODY, SECRET, ids_by_workspace, make_event, start_relay
from support.step import NORMAL, answer

pytestmark = pytest.mark.exhaustive

OTHER_KEY = "pat.acct.other.s3cr3t"


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A server with an empty database."""
    with Postgres() as running:
        yield running


def start_pair(stack: ExitStack, home: Path, url: str, postgres: Postgres) -> list[Receiver]:
    """Two relays that are started at the same time."""

    def start(name: str) -> Receiver:
        return stack.enter_context(start_relay(home / name, url, "--database", postgres.url))

    with ThreadPoolExecutor(2) as threads:
        return [*threads.map(start, ("first", "second"))]


def test_two_begin_at_once_and_share_the_work(
    tmp_path: Path, endpoint: Endpoint, postgres: Postgres
) -> None:
    """Two relays can start at the same time on an empty database; a runner may send its events to
    either in turn, and each event arrives once and in order."""
    ids = {f"w{n}": [f"w{n}-{i}" for i in range(10)] for n in range(20)}
    with ExitStack() as stack:
        relays = start_pair(stack, tmp_path, endpoint.url, postgres)

        def report(workspace: str) -> set[int]:
            key = f"pat.acct.{workspace}.s3cr3t"
            sent = [
                relays[number % 2].send(make_event(one), workspace, key=key)
                for number, one in enumerate(ids[workspace])
            ]
            return {one.status_code for one in sent}

        with ThreadPoolExecutor(10) as runners:
            assert set.union(*runners.map(report, ids)) == {200}
        endpoint.wait_for(200, timeout=60)
        assert [relay.stop() for relay in relays] == [0, 0]
    assert ids_by_workspace(endpoint.requests) == ids


def test_what_one_knows_the_other_knows(
    tmp_path: Path, endpoint: Endpoint, postgres: Postgres
) -> None:
    """Both relays know of an event that was sent before, which is forwarded once, and of a key that
    the service refused; an event that is held for that key is forwarded when it is sent again with
    another key."""
    endpoint.script(answer(401))
    with ExitStack() as stack:
        first, second = start_pair(stack, tmp_path, endpoint.url, postgres)
        first.send(make_event(1))
        until(lambda: "tfevents_relay_held_events 1.0" in second.http.get("/metrics").text)
        assert second.send(make_event(2)).status_code == 401
        for relay in (first, second, first):
            assert relay.send(make_event(1), key=OTHER_KEY).status_code == 200
        relay.send(make_event("last"), key=OTHER_KEY)
        endpoint.wait_for(2)
    keys = [one.headers["x-api-key"] for one in endpoint.requests]
    assert keys == [KEY, OTHER_KEY, OTHER_KEY]
    assert ids_by_workspace(endpoint.requests) == {"prod": ["1", "last"]}


def test_a_database_that_goes_and_comes_back(
    tmp_path: Path, endpoint: Endpoint, postgres: Postgres
) -> None:
    """While the database is down, events are answered with 503; afterwards the relay goes on
    without a restart."""
    endpoint.always(answer(503))
    with start_relay(tmp_path, endpoint.url, "--database", postgres.url) as relay:
        assert relay.send(make_event(1)).status_code == 200
        endpoint.wait_for_requests(1)
        postgres.stop()
        assert relay.send(make_event(2)).status_code == 503
        assert relay.http.get("/healthz").status_code == 503
        postgres.start()
        until(lambda: relay.http.get("/healthz").status_code == 200)
        assert relay.send(make_event(3)).status_code == 200
        endpoint.always(answer(200))
        endpoint.wait_for(2, timeout=60)
    assert ids_by_workspace(endpoint.requests) == {"prod": ["1", "3"]}


def test_a_database_that_goes_before_a_result_is_noted(
    tmp_path: Path, endpoint: Endpoint, postgres: Postgres
) -> None:
    """If the database restarts before a delivery is recorded, the delivery is recorded later, and
    the event is not sent twice."""
    endpoint.script(NORMAL.but(delay=3.5))
    with start_relay(tmp_path, endpoint.url, "--database", postgres.url) as relay:
        relay.send(make_event(1))
        endpoint.wait_for_requests(1)
        postgres.stop()
        postgres.start()
        until(lambda: relay.send(make_event(2)).status_code == 200)
        endpoint.wait_for(2)
    assert ids_by_workspace(endpoint.requests) == {"prod": ["1", "2"]}


def test_a_database_that_there_is_not(tmp_path: Path) -> None:
    """A database that can't be reached, or a wrong URL, gives one line without a password."""
    env = {**clean_env(tmp_path), "TFEVENTS_RELAY_SECRET": SECRET}
    tfevents = Tfevents(tmp_path / "home", env, tmp_path)
    words = ("receive", "--port", "0", "--forward", NOBODY, "--database")
    line = tfevents.fails(1, *words, "postgresql://relay:s3cr3t@127.0.0.1:9/name")
    assert line == ("tfevents: the database name at 127.0.0.1 can't be reached, or lets nobody in")
    for url in ("mysql://relay:s3cr3t@127.0.0.1/name", "s3cr3t", "postgresql://x:s3cr3t@[::1/name"):
        line = tfevents.fails(2, *words, url)
        assert line == "tfevents: --database: this is no postgresql://USER@HOST/NAME"
