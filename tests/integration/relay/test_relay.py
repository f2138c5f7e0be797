"""`tfevents receive --forward` as a server: what it stores and sends on, when, and with which API
key."""

from __future__ import annotations

import json
import os
import signal
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from support.command import Tfevents
from support.endpoint import Endpoint, Request
from support.engines import clean_env
from support.machine import Machine, until
from support.receiver import KEY, Receiver
from support.relay import NOBODY, SECRET, ids_by_workspace, make_event, query, start_relay
from support.step import NORMAL, answer, plain

OTHER_KEY, WRONG_KEY = "sat.acct.other.s3cr3tofanother", "pat.acct.wrong.s3cr3t"
QUERY = {
    **dict.fromkeys(("pipeline_id", "stage_id", "pipeline_execution_id", "pipeline_stage_id"), "x"),
    "provisioner_type": "tf",
    "data_type": "state_raw",
}
COUNT = "select count(*) from events where status = '{}'"


@pytest.fixture
def tfevents(tmp_path: Path) -> Tfevents:
    """The installed command in a clean environment, with the relay's secret."""
    home = tmp_path / "me" / "state"
    env = {**clean_env(tmp_path / "me"), "TFEVENTS_HOME": str(home)}
    return Tfevents(home, {**env, "TFEVENTS_RELAY_SECRET": SECRET}, tmp_path)


@pytest.fixture(scope="module")
def server() -> Iterator[Endpoint]:
    """The server to which the module's relay forwards."""
    with Endpoint() as running:
        yield running


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory, server: Endpoint) -> Iterator[Receiver]:
    """The relay of this module; each test uses API keys and workspaces of its own."""
    with start_relay(tmp_path_factory.mktemp("relay"), server.url) as running:
        yield running


def wait_for(server: Endpoint, workspace: str, count: int) -> list[Request]:
    """The recorded requests for a workspace, as soon as there are `count`."""

    def find() -> list[Request]:
        return [
            r for r in server.requests if r.recorded and r.place and r.place.workspace == workspace
        ]

    until(lambda: len(find()) >= count)
    return find()


def test_runs_report_through_it(relay: Receiver, server: Endpoint, machine: Machine) -> None:
    """A run's start and end reach the server in order, as `tf` wrote them, and with the runner's
    own API key."""
    env = machine.reporting_to(relay.url, "runs")
    done = machine.tf("apply", "-auto-approve", at=machine.project(), env=env)
    assert (done.returncode, "reported" in done.stderr) == (0, True), done
    found = wait_for(server, "runs", 2)
    assert [one.event for one in found] == machine.bodies()
    assert {one.headers["x-api-key"] for one in found} == {env["TFEVENTS_API_KEY"]}


@pytest.mark.exhaustive
def test_what_was_answered_outlives_a_kill(tmp_path: Path, endpoint: Endpoint) -> None:
    """Events of twelve runners, accepted while the server is down, are each sent once and in order
    by the next relay after this one was killed; no API key is stored in plain text."""
    ids = {f"w{n}": [f"w{n}-{i}" for i in range(8)] for n in range(12)}
    home = tmp_path / "relay"
    with start_relay(home, NOBODY) as relay:

        def report(workspace: str) -> set[int]:
            key = f"pat.acct.{workspace}.s3cr3t"
            sent = [relay.send(make_event(i), workspace, key=key) for i in ids[workspace]]
            return {one.status_code for one in sent}

        with ThreadPoolExecutor(12) as runners:
            assert set.union(*runners.map(report, ids)) == {200}
        relay.kill()
    kept = b"".join(path.read_bytes() for path in home.glob("relay.db*"))
    assert b"w11-7" in kept
    assert b"s3cr3t" not in kept
    endpoint.always(answer(503))
    with start_relay(home, endpoint.url):
        endpoint.wait_for_requests(5)
        endpoint.always(NORMAL)
        endpoint.wait_for(96, timeout=60)
        assert ids_by_workspace(endpoint.requests) == ids


def test_the_bytes_go_on_as_they_came(relay: Receiver, server: Endpoint) -> None:
    """The body is forwarded byte by byte, with its numbers and spaces, and the path unchanged."""
    text = '{ "event_type":"plan", "metadata":{"trigger":{"n": 1.10, "big": 1e30, "\u00e9": []}}}'
    place = "/iacm/api/orgs/a%2Fb/projects/p/workspaces/%2E%2E/events"
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert relay.http.post(place, content=text, headers=headers).status_code == 200
    (request,) = wait_for(server, "..", 1)
    assert (request.body.decode(), request.target) == (text, place)
    assert (request.headers["x-api-key"], request.headers["harness-account"]) == (KEY, "acct")


def test_what_comes_again_goes_once(relay: Receiver, server: Endpoint) -> None:
    """An event that a runner sends again, as after a lost response, is forwarded once; events
    without an id are all forwarded."""
    anonymous, last = {"event_type": "plan"}, make_event("last")
    for event in (make_event(1), make_event(1), anonymous, anonymous, make_event(1), last):
        assert relay.send(event, "again").status_code == 200
    found = [one.event for one in wait_for(server, "again", 4)]
    assert found == [make_event(1), anonymous, anonymous, last]


def test_a_refused_event_lets_the_next_one_pass(relay: Receiver, server: Endpoint) -> None:
    """A refused event is kept with its reason, does not block the next one, and is sent again if it
    is received again."""
    server.script(answer(404, "no such workspace"))
    relay.send(make_event("refused"), "missing")
    relay.send(make_event("next"), "missing")
    assert [one.event for one in wait_for(server, "missing", 1)] == [make_event("next")]
    ((reason, body),) = query(
        relay.home, "select reason, body from events where reason is not null"
    )
    assert "no such place, org default, project infra, workspace missing: 404" in reason
    assert json.loads(body) == make_event("refused")
    relay.send(make_event("refused"), "missing")
    assert wait_for(server, "missing", 2)[1].event == make_event("refused")


@pytest.mark.exhaustive
def test_what_was_refused_is_sent_again(tmp_path: Path, endpoint: Endpoint) -> None:
    """A relay that is started with --refused sends refused events again, each with the API key that
    it came with."""
    endpoint.script(answer(404), answer(400))
    with start_relay(tmp_path, endpoint.url) as relay:
        relay.send(make_event(1), key=OTHER_KEY)
        relay.send(make_event(2))
        until(lambda: query(relay.home, COUNT.format("refused")) == [(2,)])
    with start_relay(tmp_path, endpoint.url, "--refused") as relay:
        assert "2 refused events are sent again" in relay.said
        endpoint.wait_for(2)
    found = [(one.headers["x-api-key"], one.event) for one in endpoint.requests[2:]]
    assert found == [(OTHER_KEY, make_event(1)), (KEY, make_event(2))]


@pytest.mark.exhaustive
def test_a_key_that_is_not_taken(tmp_path: Path, endpoint: Endpoint) -> None:
    """If the server rejects an API key for a workspace, the key's events there wait and senders get
    a 401, while events with other keys or to other workspaces are sent; once the server accepts the
    key, the waiting events are sent."""
    home = tmp_path / "relay"
    endpoint.script(answer(403))
    with start_relay(home, endpoint.url) as relay:
        relay.send(make_event("held"))
        until(lambda: query(home, "select 1 from holds"))
        refusal = relay.send(make_event("told"))
        assert (refusal.status_code, refusal.json()["name"]) == (401, "unauthorized")
        assert relay.send(make_event("elsewhere"), workspace="other").status_code == 200
        assert relay.send(make_event("passes"), key=OTHER_KEY).status_code == 200
        endpoint.wait_for(2)
        relay.stop()
    query(home, "update holds set until = 0")
    query(home, "update workspaces set due = 1 where due is not null")
    with start_relay(home, endpoint.url) as relay:
        endpoint.wait_for(3)
        until(lambda: not query(home, "select 1 from holds"))
        relay.send(make_event("after"))
        endpoint.wait_for(4)
    found = ids_by_workspace(endpoint.requests)
    assert found == {"prod": ["passes", "held", "after"], "other": ["elsewhere"]}


def test_a_corrected_key_takes_a_held_event_along(relay: Receiver, server: Endpoint) -> None:
    """An event that waits because of its API key, and is received again with another key, is sent
    with that one."""
    server.script(answer(401))
    relay.send(make_event(1), "corrected", key=WRONG_KEY)
    until(lambda: query(relay.home, "select 1 from holds"))
    relay.send(make_event(1), "corrected", key=OTHER_KEY)
    (found,) = wait_for(server, "corrected", 1)
    assert found.headers["x-api-key"] == OTHER_KEY


def test_a_pause_that_the_server_asks_for(relay: Receiver, server: Endpoint) -> None:
    """A Retry-After delays all requests with the same API key, to whatever workspace."""
    key = "pat.acct.paused.s3cr3t"
    server.script(answer(429, retry_after=1))
    relay.send(make_event(1), "paused", key=key)
    until(lambda: query(relay.home, "select 1 from workspaces where tries = 1"))
    relay.send(make_event(2), "waits", key=key)
    wait_for(server, "paused", 1)
    wait_for(server, "waits", 1)
    first, *others = [one.at for one in server.requests if one.headers["x-api-key"] == key]
    assert min(others) - first >= 0.9


@pytest.mark.exhaustive
def test_the_secret_is_changed(tmp_path: Path, endpoint: Endpoint) -> None:
    """After a start with a new secret before the old one, the old one is not needed for the events
    that wait, though their API key was stored before; none overtakes another."""
    new = urlsafe_b64encode(b"n" * 32).decode()
    for event_id, secret in ((1, SECRET), (2, f"{new},{SECRET}")):
        env = {"TFEVENTS_RELAY_SECRET": secret}
        with start_relay(tmp_path, NOBODY, env=env) as relay:
            relay.send(make_event(event_id))
    with start_relay(tmp_path, endpoint.url, env={"TFEVENTS_RELAY_SECRET": new}) as relay:
        relay.send(make_event(3))
        endpoint.wait_for(3)
    assert ids_by_workspace(endpoint.requests) == {"prod": ["1", "2", "3"]}


@pytest.mark.exhaustive
def test_two_signals_stop_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A second signal ends a relay that is stopping, without a traceback, and no thread of it runs
    on."""
    with start_relay(tmp_path, NOBODY) as relay:
        assert relay.http.get("/healthz").status_code == 200
        os.kill(relay.pid, signal.SIGTERM)
        time.sleep(0.01)  # else the two may be handled in the other order
        assert relay.stop(signal.SIGINT) == 0
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.exhaustive
def test_a_stop_ends_what_is_under_way(tmp_path: Path, endpoint: Endpoint) -> None:
    """A relay that is stopped completes its request and records the result, so that no event is
    sent twice."""
    home = tmp_path / "relay"
    endpoint.script(NORMAL.but(delay=1.0))
    with start_relay(home, endpoint.url) as relay:
        relay.send(make_event(1))
        endpoint.wait_for_requests(1)
        relay.send(make_event(2))
        assert relay.stop() == 0
    assert query(home, COUNT.format("delivered")) == [(len(endpoint.events),)]
    with start_relay(home, endpoint.url):
        assert endpoint.wait_for(2) == [make_event(1), make_event(2)]


def test_a_key_of_another_account(relay: Receiver) -> None:
    """An API key for another account, or a text that is no API key, gives a 401, and nothing is
    stored."""
    for key in ("pat.elsewhere.id.secret", "pat.half", "two words"):
        assert relay.send(make_event(1), "nobody", key=key).status_code == 401
    assert query(relay.home, "select 1 from workspaces where workspace = 'nobody'") == []


def test_an_artifact_goes_straight_on(relay: Receiver, server: Endpoint) -> None:
    """An artifact is forwarded byte by byte with the runner's API key, the server's response is
    returned, and nothing is stored."""
    place = "/iacm/api/orgs/default/projects/infra/workspaces/stored/data"
    content = b"a state of the runner's " * 40_000
    policy = {"policy_evaluation_status": "warning", "policy_evaluation_message": "too (large)"}
    said = json.dumps({"id": "artifact-1", **policy}).encode()
    server.script(plain(200, said, "application/json"), answer(403), answer(404), answer(503))
    stored, *failed = [relay.http.post(place, params=QUERY, content=content) for _ in range(4)]
    assert (stored.status_code, stored.json()) == (200, {"id": "artifact-1", **policy})
    assert [one.status_code for one in failed] == [401, 400, 503]
    (request,) = server.artifacts
    query_told = parse_qs(urlsplit(request.target).query)
    assert (request.body, query_told) == (content, {name: [text] for name, text in QUERY.items()})
    assert request.headers["x-api-key"] == KEY
    kept = [path.read_bytes() for path in relay.home.rglob("*") if path.is_file()]
    assert not any(b"a state of" in each for each in kept)


def test_what_a_relay_does_not_take(relay: Receiver) -> None:
    """A relay does not answer queries, for which the service itself is there; an invalid event or
    artifact gives an error with its reason."""
    place = "/iacm/api/orgs/default/projects/infra/workspaces/prod/data"
    assert relay.http.post(place).json()["name"] == "missing_field"
    assert relay.list_activities().status_code == 404
    assert relay.http.get("/").status_code == 404
    answered = relay.send({"event_type": "applied"})
    assert (answered.status_code, answered.json()["name"]) == (400, "invalid_enum_value")


def test_a_home_in_use(relay: Receiver, tfevents: Tfevents) -> None:
    """A second relay with the same home directory does not start, as both would send the events."""
    words = ("receive", "--forward", NOBODY, "--port", "0", "--home", relay.home)
    assert tfevents.fails(2, *words).endswith("give this one another --home")


def test_settings_that_can_not_be_used(tfevents: Tfevents) -> None:
    """Each unusable setting of a relay is reported in one line without the secret."""
    relay = ("receive", "--port", "0", "--forward")
    assert "URL of the service is missing" in tfevents.fails(2, *relay, "")
    assert "does not simulate outages" in tfevents.fails(2, *relay, NOBODY, "--fail", "503")
    assert "http:// shows the key" in tfevents.fails(2, *relay, "http://elsewhere.example")
    for secret in ("c2hvcnQ=", "no base64 at all"):
        tfevents.env["TFEVENTS_RELAY_SECRET"] = secret
        line = tfevents.fails(2, *relay, NOBODY)
        assert "TFEVENTS_RELAY_SECRET: this is no base64 of 32 bytes" in line
        assert secret not in line
