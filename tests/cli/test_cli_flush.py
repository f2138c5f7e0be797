"""`tfevents flush`: what waits arrives once and in order, or it is said why not."""

from __future__ import annotations

import os
import time

import pytest
from rig.endpoint import Endpoint, Rules
from rig.step import HANG, answer
from rig.terminal import Terminal

from cli.command import Tfevents


def names(endpoint: Endpoint) -> list[str]:
    """The events that were recorded, by the names that `put` gave them."""
    return [event["data"]["name"] for event in endpoint.events]


def test_nothing_waits(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """No error, no request."""
    assert tfevents.ok("flush") == "nothing waits\n"
    assert endpoint.connections == 0


def test_what_waits_is_delivered_once_and_in_order(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """The second flush has nothing left to do."""
    tfevents.put("a", "b", "c")
    assert tfevents.ok("flush") == "3 delivered\n"
    assert tfevents.ok("flush") == "nothing waits\n"
    assert names(endpoint) == ["a", "b", "c"]
    assert len({event["data"]["event_id"] for event in endpoint.events}) == 3


def test_without_a_key(tfevents: Tfevents) -> None:
    """A setting is missing: 2, and the events are still there."""
    tfevents.put("a")
    line = tfevents.fails(2, "flush")
    assert line == (
        "tfevents: no API key is set, 1 event waiting: set TFEVENTS_API_KEY or"
        " TFEVENTS_API_KEY_FILE"
    )
    assert len(tfevents.json("log", "--json")["events"]) == 1


def test_a_broken_setting(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """One line that names it, and the key is not in it."""
    tfevents.env["TFEVENTS_URL"] = "http://harness.example"
    line = tfevents.fails(2, "flush")
    assert line.startswith("tfevents: TFEVENTS_URL: ")
    assert "secret" not in line


def test_refused(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """Said with the reason; left alone by the next flush, sent again when asked."""
    tfevents.put("a", "b")
    endpoint.script(answer(404, "workspace not found"))
    done = tfevents.run("flush")
    assert done.returncode == 1
    first, why = done.stdout.decode().splitlines()
    assert first == "1 delivered, 1 refused"
    assert why.startswith("refused: no such place, org default, project infra, workspace prod: 404")
    assert tfevents.ok("flush").splitlines() == [
        "nothing waits",
        "1 refused earlier, sent again by: tfevents flush --refused",
    ]
    assert tfevents.ok("flush", "--refused") == "1 delivered\n"
    assert names(endpoint) == ["b", "a"]


def test_a_wrong_key(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """One request, one reason, everything kept; a right one delivers it."""
    tfevents.put("a", "b")
    endpoint.rules = Rules(api_key="pat.acc.token.other")
    done = tfevents.run("flush")
    assert done.returncode == 1
    assert done.stdout.decode().startswith("2 kept\nkept: the server does not take this API key")
    assert len(endpoint.requests) == 1
    endpoint.rules = Rules()
    assert tfevents.ok("flush") == "2 delivered\n"


def test_no_connection(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """An outage is told soon."""
    tfevents.put("a")
    tfevents.env["TFEVENTS_URL"] = "http://127.0.0.1:9"
    began = time.monotonic()
    done = tfevents.run("flush")
    assert time.monotonic() - began < 10
    assert done.returncode == 1
    assert done.stdout.decode().startswith("1 kept\nkept: no connection to 127.0.0.1:9")


def test_the_timeout_is_for_all_of_it(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """A server that never answers holds a flush no longer than it was told to wait."""
    tfevents.put("a", "b")
    endpoint.always(HANG)
    began = time.monotonic()
    done = tfevents.run("flush", "--timeout", "1")
    assert time.monotonic() - began < 45
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, b"2 kept")


def test_a_busy_server_is_asked_again(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """A flush has time."""
    tfevents.put("a", "b")
    endpoint.script(answer(503, retry_after=1), answer(429))
    assert tfevents.ok("flush") == "2 delivered\n"
    assert names(endpoint) == ["a", "b"]


def test_two_at_once(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """Both say that everything was delivered, and each event was, once."""
    tfevents.put("a", "b", "c")
    endpoint.script(answer(503), answer(503))
    flushes = [tfevents.start("flush") for _ in range(3)]
    ended = [(flush.communicate(timeout=60), flush.returncode) for flush in flushes]
    assert [code for _, code in ended] == [0, 0, 0], ended
    assert names(endpoint) == ["a", "b", "c"]


def test_a_claim_of_the_dead_is_void(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """A flush that was killed in the middle holds up nobody."""
    tfevents.put("a", "b")
    endpoint.script(HANG)
    first = tfevents.start("flush")
    endpoint.wait_for_requests(1)
    first.kill()
    first.communicate()
    began = time.monotonic()
    assert tfevents.ok("flush") == "2 delivered\n"
    assert time.monotonic() - began < 5
    assert names(endpoint) == ["a", "b"]
    assert os.listdir(tfevents.home / "runs") == []


def test_an_event_of_another_account(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """It is left and told; the others go."""
    tfevents.env["TFEVENTS_ACCOUNT"] = "theirs"
    tfevents.put("a")
    tfevents.env["TFEVENTS_ACCOUNT"] = "acc"
    tfevents.put("b")
    done = tfevents.run("flush")
    assert done.returncode == 1
    assert done.stdout.decode().splitlines() == [
        "1 delivered, 1 kept",
        "kept: this event is of account theirs, the key is of acc",
    ]
    assert names(endpoint) == ["b"]


def test_what_was_not_known_is_filled_in(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """An event that was put with nothing configured goes where the flush says."""
    configured = dict(tfevents.env)
    for name in ("ORG", "PROJECT", "WORKSPACE"):
        del tfevents.env[f"TFEVENTS_{name}"]
    tfevents.put("a")
    done = tfevents.run("flush")
    assert done.returncode == 1
    reason = "not known where to: set TFEVENTS_ORG and TFEVENTS_PROJECT and TFEVENTS_WORKSPACE"
    assert reason in done.stdout.decode()
    tfevents.env = configured
    assert tfevents.ok("flush") == "1 delivered\n"


def test_a_killed_run_is_closed_and_told(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """Its event is among what is delivered."""
    started = tfevents.provisioner_that_waits()
    run = tfevents.without_key().start("run", "--", "terraform", "refresh")
    while not (started.exists() and list((tfevents.home / "runs").glob("*/run"))):
        time.sleep(0.02)
    run.kill()
    started.unlink()
    run.communicate()
    assert tfevents.ok("flush").splitlines() == ["1 delivered", "1 run without an end, closed"]
    (event,) = endpoint.events
    assert event["event_type"] == "failed"
    assert event["data"]["interrupted"] == "killed"


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write anywhere")
def test_a_home_that_can_t_be_written(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """What the spare journal took in is delivered, now or when home is back."""
    tfevents.home.mkdir(parents=True)
    tfevents.home.chmod(0o500)
    tfevents.put("a")
    assert tfevents.ok("flush") == "1 delivered\n"
    tfevents.put("b")
    tfevents.home.chmod(0o700)
    assert tfevents.ok("flush") == "1 delivered\n"
    assert names(endpoint) == ["a", "b"]


def test_no_home_at_all(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """A file in its place: what the spare journal took in is delivered, now or later."""
    tfevents.home.write_text("in the way")
    tfevents.put("a")
    assert tfevents.ok("flush") == "1 delivered\n"
    tfevents.put("b")
    tfevents.home.unlink()
    assert tfevents.ok("flush") == "1 delivered\n"
    assert names(endpoint) == ["a", "b"]


def test_a_person_sees_that_it_goes_on(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """On a terminal, and only where it takes long."""
    tfevents.put("a", "b")
    endpoint.script(answer(503, retry_after=2))
    command = [str(tfevents.program), "flush"]
    with Terminal(command, env=tfevents.env, cwd=tfevents.cwd) as terminal:
        terminal.wait()
        assert "delivering 2 events" in terminal.screen
        assert "2 delivered" in terminal.screen
