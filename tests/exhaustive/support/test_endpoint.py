"""The tests' endpoint enforces the contract, and misbehaves as a script says."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from support.endpoint import Endpoint, Request, Rules
from support.nowhere import black_hole, closed_port
from support.step import (
    CLOSE_AFTERWARDS,
    DROP_UNREAD,
    DROP_UNREAD_BODY,
    HANG,
    NORMAL,
    RECORDED_BUT_CUT_OFF,
    Ending,
    Step,
    answer,
    echo,
    enormous,
    gateway,
    html,
    nested,
    not_utf8,
    plain,
    redirect,
    truncated,
)

EVENTS = "/iacm/api/orgs/default/projects/infra/workspaces/prod/events"
DATA = EVENTS.removesuffix("events") + "data"
HEADERS = {"x-api-key": "pat.acct.tok.secret", "Harness-Account": "acct"}
EVENT = {"event_type": "plan"}
COUNTS = {"added": 1, "changed": 0, "deleted": 0, "unchanged": 0}


def post(endpoint: Endpoint, event: object = EVENT, path: str = EVENTS) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=5) as client:
        return client.post(endpoint.url + path, json=event, headers=HEADERS)


def post_raw(endpoint: Endpoint, body: bytes, **headers: str) -> httpx.Response:
    sent = {**HEADERS, "Content-Type": "application/json"}
    sent.update({name.replace("_", "-"): value for name, value in headers.items()})
    with httpx.Client(trust_env=False, timeout=5) as client:
        return client.post(endpoint.url + EVENTS, content=body, headers=sent)


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Status and goa error name; asserts that the header has the same name."""
    assert response.headers["content-type"] == "application/vnd.goa.error"
    members = response.json()
    assert set(members) == {"name", "id", "message", "temporary", "timeout", "fault"}
    assert response.headers["goa-error"] == members["name"]
    return response.status_code, members["name"]


def test_a_good_event_is_answered_200_without_a_body_and_recorded(endpoint: Endpoint) -> None:
    before = time.monotonic()
    response = post(endpoint, {"event_type": "plan", "data": {"a": "b"}})
    assert (response.status_code, response.content) == (200, b"")
    assert endpoint.events == [{"event_type": "plan", "data": {"a": "b"}}]
    (request,) = endpoint.requests
    assert before <= request.at <= time.monotonic()
    assert (request.method, request.target, request.status) == ("POST", EVENTS, 200)
    assert request.place is not None
    assert (request.place.org, request.place.project, request.place.workspace) == (
        "default",
        "infra",
        "prod",
    )
    assert request.headers["harness-account"] == "acct"
    assert json.loads(request.body) == request.event


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"event_type": "planned"},
        {"event_type": "plan", "data": {"n": 1}},
        {"event_type": "plan", "data": {"n": True}},
        {"event_type": "plan", "data": None},
        {"event_type": "plan", "metadata": {"activity_type": "refresh"}},
        {"event_type": "plan", "metadata": {"resource_counts": {"added": 1}}},
        {"event_type": "plan", "metadata": {"pipeline_execution_number": 7}},
        {"event_type": "plan", "surprise": 1},
        {"event_type": "plan", "metadata": {"surprise": 1}},
        {"event_type": "plan", "metadata": {"resource_counts": {**COUNTS, "drifted": 1}}},
        ["event_type"],
    ],
)
def test_what_the_contract_does_not_allow_is_refused(endpoint: Endpoint, event: object) -> None:
    assert refusal(post(endpoint, event))[0] == 400
    assert endpoint.events == []
    assert endpoint.requests[0].refusal


@pytest.mark.parametrize(
    ("number", "status"),
    [
        ("1", 200),
        ("0", 200),
        ("9223372036854775807", 200),
        ("1.0", 400),
        ("1e3", 400),
        ("1E0", 400),
        ("9223372036854775808", 400),
        ("true", 400),
        ('"1"', 400),
        ("null", 400),
        ("NaN", 400),
        ("01", 400),
    ],
)
def test_counts_are_plain_integers_of_int64(endpoint: Endpoint, number: str, status: int) -> None:
    counts = json.dumps({**COUNTS, "added": 77}).replace("77", number)
    body = '{"event_type":"plan","metadata":{"resource_counts":' + counts + "}}"
    assert post_raw(endpoint, body.encode()).status_code == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"{",
        b'{"event_type":"plan"} {}',
        b'{"event_type":"plan","event_type":"plan"}',
        b'{"event_type":"plan","data":{"a":"\xff"}}',
        b'{"event_type":"plan","data":{"a":"\\ud800"}}',
        b'{"event_type":"plan","data":' + b"[" * 100_000,
    ],
)
def test_bodies_that_are_not_one_json_object_are_refused(endpoint: Endpoint, body: bytes) -> None:
    assert refusal(post_raw(endpoint, body))[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        b'{"event_type":"plan","surprise":1}',
        b'{"event_type":"plan","data":null}',
        b'{"event_type":"plan"} trailing',
        b'{"event_type":"drifted","event_type":"plan"}',
    ],
)
def test_without_strict_it_overlooks_what_the_go_server_overlooks(body: bytes) -> None:
    with Endpoint(Rules(strict=False)) as endpoint:
        assert post_raw(endpoint, body).status_code == 200
        assert post_raw(endpoint, b'{"event_type":"x"}').status_code == 400


def test_media_type_key_account_and_size_are_checked() -> None:
    rules = Rules(api_key="pat.acct.tok.secret", account="acct", max_body=100)
    with Endpoint(rules) as endpoint:
        body = b'{"event_type":"plan"}'
        assert post_raw(endpoint, body, Content_Type="application/json; charset=utf-8").is_success
        assert refusal(post_raw(endpoint, body, Content_Type="text/plain"))[0] == 415
        assert refusal(post_raw(endpoint, body, x_api_key="other"))[0] == 401
        assert refusal(post_raw(endpoint, body, x_api_key=""))[0] == 401
        assert refusal(post_raw(endpoint, body, Harness_Account="other"))[0] == 403
        assert refusal(post_raw(endpoint, body, Harness_Account=""))[0] == 400
        assert refusal(post_raw(endpoint, body, Harness_Account="x" * 129))[0] == 400
        assert refusal(post_raw(endpoint, body + b" " * 3_000_000))[0] == 413
        assert len(endpoint.events) == 1


def test_paths_are_decoded_segment_by_segment_and_their_lengths_checked(endpoint: Endpoint) -> None:
    def at(org: str, workspace: str) -> int:
        path = f"/iacm/api/orgs/{org}/projects/p/workspaces/{workspace}/events"
        return post(endpoint, path=path).status_code

    assert at("a%2Fb%20%C3%A9", "%25") == 200
    assert at("a/b", "w") == 404
    assert at("o" * 128, "w" * 1024) == 200
    assert at("o" * 129, "w") == at("o", "w" * 1025) == at("", "w") == at("%FF", "w") == 400
    place = endpoint.requests[0].place
    assert place is not None
    assert (place.org, place.workspace) == ("a/b é", "%")


def test_the_api_path_and_the_known_workspaces_can_be_set() -> None:
    known = frozenset({("default", "infra", "prod")})
    with Endpoint(Rules(api_path="/api", workspaces=known)) as endpoint:
        assert post(endpoint, path=EVENTS.removeprefix("/iacm")).status_code == 200
        assert post(endpoint).status_code == 404
        other = EVENTS.removeprefix("/iacm").replace("prod", "test")
        assert refusal(post(endpoint, path=other)) == (404, "not_found")


def test_only_post_is_allowed(endpoint: Endpoint) -> None:
    assert httpx.get(endpoint.url + EVENTS, headers=HEADERS, trust_env=False).status_code == 405


def test_artifacts_get_an_id_and_their_query_is_checked(endpoint: Endpoint) -> None:
    query = {
        "pipeline_id": "p",
        "stage_id": "s",
        "pipeline_execution_id": "e",
        "pipeline_stage_id": "x",
        "provisioner_type": "tf",
        "data_type": "modules",
    }

    def store(**changes: str) -> httpx.Response:
        url = endpoint.url + DATA
        params = {**query, **changes}
        return httpx.post(url, params=params, content=b"\0raw", headers=HEADERS, trust_env=False)

    assert set(store().json()) == {"id"}
    assert store(data_type="plan").status_code == 400
    assert store(stage_id="").status_code == 400
    assert [request.body for request in endpoint.artifacts] == [b"\0raw"]
    assert endpoint.events == []


def test_a_chunked_body_is_read(endpoint: Endpoint) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"event_type"'
        yield b':"plan"}'

    headers = {**HEADERS, "Content-Type": "application/json"}
    url = endpoint.url + EVENTS
    assert httpx.post(url, content=pieces(), headers=headers, trust_env=False).is_success
    assert endpoint.events == [EVENT]


def test_a_script_is_consumed_in_order_then_all_is_normal(endpoint: Endpoint) -> None:
    endpoint.script(answer(503, retry_after=7), gateway(429), html(502), answer(400, "no"))
    answers = [post(endpoint) for _ in range(5)]
    assert [a.status_code for a in answers] == [503, 429, 502, 400, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert answers[0].json()["temporary"] is True
    assert set(answers[1].json()) == {"status", "code", "message", "correlationId"}
    assert answers[2].headers["content-type"] == "text/html"
    assert refusal(answers[3]) == (400, "bad_request")
    assert [r.status for r in endpoint.requests] == [503, 429, 502, 400, 200]
    assert len(endpoint.events) == 1


def test_always_lasts_until_it_is_ended(endpoint: Endpoint) -> None:
    endpoint.always(answer(500))
    endpoint.script(answer(204))
    assert [post(endpoint).status_code for _ in range(3)] == [204, 500, 500]
    endpoint.always(NORMAL)
    assert post(endpoint).status_code == 200
    assert len(endpoint.events) == 2


def test_odd_answers_arrive_as_scripted(endpoint: Endpoint) -> None:
    endpoint.script(
        echo(500),
        not_utf8(500),
        truncated(500),
        nested(500, 50_000),
        enormous(500, 3_000_000),
        plain(200, b"<html>", "text/html"),
        plain(500, b"{}"),
        redirect("http://elsewhere.example/"),
        answer(503, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"),
    )
    answers = [post(endpoint, {"event_type": "plan", "data": {"s": "hush"}}) for _ in range(9)]
    assert "pat.acct.tok.secret" in answers[0].text and "hush" in answers[0].text
    with pytest.raises(UnicodeDecodeError):
        answers[1].content.decode()
    with pytest.raises(json.JSONDecodeError):
        answers[2].json()
    with pytest.raises(RecursionError):
        answers[3].json()
    assert len(answers[4].content) > 3_000_000
    assert answers[5].text == "<html>"
    assert "content-type" not in answers[6].headers
    assert answers[7].headers["location"] == "http://elsewhere.example/"
    assert answers[8].headers["retry-after"].endswith("GMT")


def test_a_delay_delays(endpoint: Endpoint) -> None:
    endpoint.script(NORMAL.but(delay=0.4))
    begun = time.monotonic()
    assert post(endpoint).is_success
    assert time.monotonic() - begun >= 0.4


def test_hanging_really_hangs_and_ends_with_the_endpoint() -> None:
    with Endpoint() as endpoint:
        endpoint.script(HANG)
        with httpx.Client(trust_env=False, timeout=0.5) as client, pytest.raises(httpx.ReadTimeout):
            client.post(endpoint.url + EVENTS, json=EVENT, headers=HEADERS)
        assert endpoint.events == []
        assert endpoint.requests[0].status is None
        begun = time.monotonic()
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("step", "recorded", "body_read"),
    [
        (DROP_UNREAD, 0, False),
        (DROP_UNREAD_BODY, 0, False),
        (RECORDED_BUT_CUT_OFF, 1, True),
        (Step(ending=Ending.CUT), 1, True),
        (answer(500).but(ending=Ending.CUT), 0, True),
    ],
)
def test_connections_break_at_each_point(
    endpoint: Endpoint, step: Step, recorded: int, body_read: bool
) -> None:
    endpoint.script(step)
    with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
        post(endpoint)
    (request,) = endpoint.requests
    assert len(endpoint.events) == recorded
    assert bool(request.body) is body_read
    assert post(endpoint).is_success


def test_a_dripping_answer_comes_byte_by_byte(endpoint: Endpoint) -> None:
    endpoint.script(answer(500).but(ending=Ending.DRIP, pause=0.002))
    begun = time.monotonic()
    assert post(endpoint).status_code == 500
    assert time.monotonic() - begun > 0.4


def test_interim_answers_come_first(endpoint: Endpoint) -> None:
    endpoint.script(NORMAL.but(interim=(103, 103)))
    with connect(endpoint) as connection:
        connection.sendall(raw_request(b"Connection: close\r\n"))
        heard = read_to_end(connection)
    assert heard.count(b"HTTP/1.1 103") == 2
    assert b"HTTP/1.1 200 OK" in heard
    endpoint.script(NORMAL.but(interim=(103,)))
    assert post(endpoint).is_success


def test_keep_alive_is_kept(endpoint: Endpoint) -> None:
    with httpx.Client(trust_env=False, headers=HEADERS) as client:
        for _ in range(3):
            assert client.post(endpoint.url + EVENTS, json=EVENT).is_success
    assert [request.connection for request in endpoint.requests] == [1, 1, 1]
    assert endpoint.connections == 1


def test_a_kept_connection_can_be_closed_without_a_word(endpoint: Endpoint) -> None:
    endpoint.script(NORMAL, CLOSE_AFTERWARDS)
    with connect(endpoint) as connection:
        connection.sendall(raw_request() * 2)
        heard = read_to_end(connection)
    assert heard.count(b"HTTP/1.1 200 OK") == 2
    assert b"Connection" not in heard


def connect(endpoint: Endpoint) -> socket.socket:
    return socket.create_connection(("127.0.0.1", endpoint.port), timeout=5)


def raw_request(more: bytes = b"") -> bytes:
    body = json.dumps(EVENT).encode()
    headers = {**HEADERS, "Host": "endpoint", "Content-Type": "application/json"}
    lines = [f"POST {EVENTS} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n" + more + b"\r\n" + body


def read_to_end(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(4096), b""))


def test_tls_is_trusted_only_with_its_bundle() -> None:
    with Endpoint(tls="127.0.0.1") as endpoint:
        context = ssl.create_default_context(cafile=str(endpoint.ca_bundle))
        with httpx.Client(trust_env=False, verify=context, headers=HEADERS) as client:
            assert client.post(endpoint.url + EVENTS, json=EVENT).is_success
        with pytest.raises(httpx.ConnectError):
            post(endpoint)
        assert len(endpoint.events) == 1
        assert endpoint.connections == 2
    with Endpoint(tls="elsewhere.example") as endpoint:
        context = ssl.create_default_context(cafile=str(endpoint.ca_bundle))
        with (
            httpx.Client(trust_env=False, verify=context) as client,
            pytest.raises(httpx.ConnectError),
        ):
            client.get(endpoint.url)


def test_many_clients_at_once_are_all_heard(endpoint: Endpoint) -> None:
    def send(number: int) -> None:
        post(endpoint, {"event_type": "plan", "data": {"n": str(number)}})

    threads = [threading.Thread(target=send, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    events: list[dict[str, Any]] = endpoint.wait_for(24)
    assert {event["data"]["n"] for event in events} == {str(n) for n in range(24)}
    for thread in threads:
        thread.join()


def test_waiting_in_vain_says_what_was_heard(endpoint: Endpoint) -> None:
    post(endpoint, {"event_type": "nonsense"})
    with pytest.raises(AssertionError, match="nonsense"):
        endpoint.wait_for(1, timeout=0.05)
    requests: list[Request] = endpoint.wait_for_requests(1)
    assert requests[0].status == 400


def test_nobody_answers_at_a_closed_port() -> None:
    with closed_port() as url, pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_a_black_hole_never_accepts() -> None:
    with black_hole() as url, pytest.raises(httpx.ConnectTimeout):
        httpx.get(url, trust_env=False, timeout=0.5)
