"""How a relay is reached, that it sends with its own API key, and its health and metrics."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme
from support.command import Tfevents
from support.endpoint import Endpoint
from support.engines import clean_env
from support.machine import until
from support.receiver import Receiver
from support.relay import NOBODY, SECRET, make_event, query, start_relay
from support.step import answer

OWN_KEY, TOKEN = "sat.acct.relay.s3cr3tofrelay", "the token of the relay"
PATH = "/iacm/api/orgs/default/projects/infra/workspaces/prod/events"
OWN = {
    "TFEVENTS_RELAY_SECRET": "",
    "TFEVENTS_RELAY_TOKEN": TOKEN,
    "TFEVENTS_API_KEY": OWN_KEY,
}


@pytest.fixture
def tfevents(tmp_path: Path) -> Tfevents:
    """The installed command in a clean environment."""
    home = tmp_path / "me" / "state"
    return Tfevents(home, {**clean_env(tmp_path / "me"), "TFEVENTS_HOME": str(home)}, tmp_path)


@pytest.fixture(scope="module")
def server() -> Iterator[Endpoint]:
    """The server to which the module's relay forwards."""
    with Endpoint() as running:
        yield running


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """The CA of the relay's certificate."""
    return trustme.CA()


@pytest.fixture(scope="module")
def relay(
    tmp_path_factory: pytest.TempPathFactory, server: Endpoint, authority: trustme.CA
) -> Iterator[Receiver]:
    """A relay with its own API key, a token and TLS, which listens on all interfaces."""
    place = tmp_path_factory.mktemp("relay")
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(str(place / "key.pem"))
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(str(place / "chain.pem"), append=True)
    tls = "--tls-cert", str(place / "chain.pem"), "--tls-key", str(place / "key.pem")
    with start_relay(place / "home", server.url, "--host", "0.0.0.0", *tls, env=OWN) as running:
        yield running


@pytest.fixture
def runner(relay: Receiver, authority: trustme.CA) -> Iterator[httpx.Client]:
    """A client that trusts the relay's CA and sends the token."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    (port,) = re.findall(r"https://0\.0\.0\.0:(\d+) to", relay.said)
    headers = {"x-api-key": TOKEN, "Harness-Account": "acct"}
    with httpx.Client(
        base_url=f"https://127.0.0.1:{port}", verify=context, headers=headers, trust_env=False
    ) as client:
        yield client


def send(runner: httpx.Client, event_id: str, **headers: str) -> httpx.Response:
    """The response to an event that the runner sends."""
    return runner.post(PATH, json=make_event(event_id), headers=headers)


def test_events_go_with_the_relays_own_key(
    relay: Receiver, runner: httpx.Client, server: Endpoint
) -> None:
    """Senders with the token may send events for the account of the relay's API key; neither key
    nor token is stored."""
    assert send(runner, "own").status_code == 200
    until(lambda: make_event("own") in server.events)
    assert {request.headers["x-api-key"] for request in server.requests} == {OWN_KEY}
    assert send(runner, "1", **{"x-api-key": OWN_KEY}).status_code == 401
    assert send(runner, "1", **{"Harness-Account": "other"}).status_code == 403
    wrong = runner.post(PATH, content="{}", headers={"x-api-key": OWN_KEY})
    assert wrong.status_code == 401, "who it is comes before what is wrong with the event"
    kept = b"".join(path.read_bytes() for path in relay.home.glob("relay.db*"))
    assert b"s3cr3t" not in kept
    assert TOKEN.encode() not in kept


def test_health_and_numbers(runner: httpx.Client, server: Endpoint) -> None:
    """`/healthz` and `/metrics` can be read; an outage of the server is counted, and the relay
    stays healthy."""

    def numbers() -> dict[str, float]:
        text = runner.get("/metrics").text
        found = re.findall(r"^tfevents_relay_(\w+) (\S+)$", text, re.MULTILINE)
        return {name: float(number) for name, number in found}

    before = numbers()
    server.script(answer(503), answer(404))
    send(runner, "refused")
    send(runner, "delivered")
    until(lambda: numbers()["delivered_total"] == before["delivered_total"] + 1)
    after = numbers()
    added = {name: after[name] - before[name] for name in after if name.endswith("_total")}
    expected = {"accepted": 2, "delivered": 1, "refused": 1, "failed_attempts": 1}
    assert added == {f"{name}_total": number for name, number in expected.items()}
    assert (after["waiting_events"], after["held_events"]) == (0, 0)
    assert (runner.get("/healthz").status_code, runner.get("/healthz").text) == (200, "ok\n")


def test_a_database_that_is_gone(relay: Receiver, runner: httpx.Client, server: Endpoint) -> None:
    """If the database fails, senders get a 503, as do `/healthz` and `/metrics`; afterwards the
    relay works again."""
    query(relay.home, "alter table events rename to elsewhere")
    refused = send(runner, "gone")
    assert (refused.status_code, refused.json()["name"]) == (503, "service_unavailable")
    assert runner.get("/healthz").status_code == 503
    assert runner.get("/metrics").status_code == 503
    query(relay.home, "alter table elsewhere rename to events")
    assert send(runner, "back").status_code == 200
    assert runner.get("/healthz").status_code == 200
    until(lambda: make_event("back") in server.events)


def test_settings_that_do_not_go_together(tfevents: Tfevents, tmp_path: Path) -> None:
    """Each contradiction between a relay's settings is reported in one line."""
    relay = ("receive", "--port", "0", "--forward", NOBODY)
    assert "set one of the two: TFEVENTS_RELAY_SECRET" in tfevents.fails(2, *relay)
    tfevents.env["TFEVENTS_RELAY_TOKEN"] = TOKEN
    assert "set TFEVENTS_API_KEY" in tfevents.fails(2, *relay)
    tfevents.env["TFEVENTS_RELAY_SECRET"] = SECRET
    assert "set one of the two" in tfevents.fails(2, *relay)
    del tfevents.env["TFEVENTS_RELAY_TOKEN"]
    assert "http:// shows the keys" in tfevents.fails(2, *relay, "--host", "0.0.0.0")
    assert "go together" in tfevents.fails(2, *relay, "--tls-cert", "x")
    (tmp_path / "no.pem").write_text("nothing")
    files = ("--tls-cert", tmp_path / "no.pem", "--tls-key", tmp_path / "no.pem")
    assert "are no certificate with its unencrypted key" in tfevents.fails(2, *relay, *files)
    for option in (("--host", "0.0.0.0"), ("--database", "postgresql://localhost/x")):
        assert "for a relay only" in tfevents.fails(2, "receive", *option)
    assert "no.pem" in tfevents.fails(1, *relay, "--home", tmp_path / "no.pem" / "home")
