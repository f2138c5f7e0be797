"""ApiClient: what it sends, and what each response, network failure and proxy of a real server
means."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
import trustme
from msgspec.structs import replace
from support.endpoint import Endpoint
from support.exhaustive import exhaustive_except
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

from tfevents.deadline import Deadline
from tfevents.delivery.client import ApiClient, path_of
from tfevents.errors import DeliveryError, Refused, SettingError, Unauthorized, Unreachable
from tfevents.journal.models import Destination
from tfevents.settings.model import ApiKey, Settings

SECRET = "pat.acct.token-canary.secret-canary"
WHERE = Destination("acct", "default", "infra", "prod")
BODY = {"event_type": "plan"}
LONG = 8.0


def open_client(url: str, ca_bundle: Path | None = None) -> ApiClient:
    """A client for the server at `url`, with the API key SECRET."""
    bundle = str(ca_bundle) if ca_bundle else None
    return ApiClient(Settings("/nowhere", url=url, api_key=ApiKey(SECRET), ca_bundle=bundle))


def said(url: str, seconds: float = LONG, ca_bundle: Path | None = None) -> DeliveryError | None:
    """The error that sending one event raises; None if it was delivered."""
    client = open_client(url, ca_bundle)
    try:
        client.send_event(BODY, WHERE, Deadline(seconds))
    except DeliveryError as error:
        assert "\n" not in str(error)
        assert "canary" not in str(error)
        return error
    finally:
        client.close()
    return None


REFUSED = (400, 402, 404, 405, 406, 409, 410, 411, 412, 413, 414, 415, 416, 418, 421, 422, 428, 431)
AGAIN = (408, 423, 425, 429, 499, 500, 501, 502, 503, 504, 507, 511, 520, 599)


@pytest.mark.parametrize("envelope", [answer, gateway, html])
@pytest.mark.parametrize(
    ("kind", "statuses"),
    [(Refused, REFUSED), (Unauthorized, (401, 403)), (Unreachable, AGAIN)],
)
def test_what_each_status_means(
    endpoint: Endpoint, envelope: object, kind: type[DeliveryError], statuses: tuple[int, ...]
) -> None:
    """Every status, in the contract or not, raises its class of error in each of the three
    envelopes."""
    client = open_client(endpoint.url)
    for status in statuses:
        endpoint.script(envelope(status))  # type: ignore[operator]
        with pytest.raises(kind, match=str(status)) as caught:
            client.send_event(BODY, WHERE, Deadline(LONG))
        assert caught.type is kind
    client.close()


@pytest.mark.parametrize("status", [200, 201, 202, 204, 207, 299])
def test_any_2xx_is_delivered(endpoint: Endpoint, status: int) -> None:
    """Any 2xx status means that the event is delivered, whatever the response's body and content
    type."""
    client = open_client(endpoint.url)
    for body in (b"", b"{}", b"<html>", b"\xff\xfe") if status != 204 else (b"",):
        endpoint.script(plain(status, body, "text/html"))
        client.send_event(BODY, WHERE, Deadline(LONG))
    client.close()


@pytest.mark.parametrize("bit", ["temporary", "timeout"])
def test_the_body_decides_where_the_status_is_ambiguous(endpoint: Endpoint, bit: str) -> None:
    """A 418 is refused, unless `temporary` or `timeout` is true in the body; a 400 is always
    refused."""
    body = f'{{"name": "x", "message": "y", "{bit}": true}}'.encode()
    endpoint.script(plain(418, body), plain(418, body.replace(b"true", b'"true"')))
    endpoint.script(plain(400, body))
    assert isinstance(said(endpoint.url), Unreachable)
    assert isinstance(said(endpoint.url), Refused)
    assert isinstance(said(endpoint.url), Refused)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (answer(404, "no such workspace"), "not_found no such workspace"),
        (gateway(404, "ENTITY_NOT_FOUND"), "ENTITY_NOT_FOUND scripted by the gateway"),
        (html(404), "404"),
        (not_utf8(404), "404"),
        (truncated(404), "404"),
        (nested(404), "404"),
        (enormous(404, 3_000_000), "404"),
        (plain(404, b'{"message": {"a": 1}, "name": 5}'), "404"),
        (plain(404, b'{"message": "\\u001b[2Jtwo\\nlines"}'), "[2Jtwo lines"),
        (plain(404, b"[1]"), "404"),
        (plain(404, b"null"), "404"),
        (plain(404, b""), "404"),
    ],
)
def test_an_error_says_its_name_and_message_and_nothing_else(
    endpoint: Endpoint, step: Step, words: str
) -> None:
    """An error is one printable line of limited length, with the name and message of the response's
    envelope; a body that is no envelope adds nothing."""
    endpoint.script(step)
    text = str(said(endpoint.url))
    assert text.startswith("no such place, org default, project infra, workspace prod: 404")
    assert words in text
    assert len(text) < 400
    assert text.isprintable()


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_key_that_the_server_says_back_is_not_shown(endpoint: Endpoint, status: int) -> None:
    """An API key that the server returns is masked in the error, also if its characters are escaped
    in JSON."""
    escaped = "".join(f"\\u{ord(c):04x}" for c in SECRET)
    endpoint.script(echo(status), plain(status, f'{{"message": "{escaped}"}}'.encode()))
    for _ in range(2):
        text = str(said(endpoint.url))
        assert "***" in text
        for segment in SECRET.split(".")[2:]:
            assert segment not in text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300, 304])
def test_a_redirect_is_never_followed(endpoint: Endpoint, status: int) -> None:
    """A redirect is not followed, since the API key would be sent to the other host too. The error
    says that TFEVENTS_URL is wrong and names only the other host; the event stays pending, as the
    right URL can deliver it."""
    with Endpoint() as elsewhere:
        endpoint.script(redirect(elsewhere.url + "/token-canary?x=secret-canary", status))
        error = said(endpoint.url)
        assert type(error) is DeliveryError
        assert str(error) == (
            f"TFEVENTS_URL is not the service's own address, it redirects to 127.0.0.1: {status}"
        )
        assert elsewhere.connections == 0


ENDLESS = [
    HANG,
    Step(status=200, ending=Ending.DRIP, pause=0.5),
    answer(503).but(delay=30.0),
    Step(status=503, ending=Ending.DRIP, pause=0.5),
]


@pytest.mark.parametrize(
    "step",
    exhaustive_except(ENDLESS, *ENDLESS[:3]),
    ids=["hang", "drip-200", "slow", "drip-503"],
)
def test_a_send_ends_within_its_seconds(endpoint: Endpoint, step: Step) -> None:
    """A send ends at its deadline, also if each byte of the response comes in time: 100 bytes that
    drip would take 50 s."""
    endpoint.script(step)
    since = time.monotonic()
    error = said(endpoint.url, 1.0)
    assert time.monotonic() - since < LONG
    assert isinstance(error, Unreachable)
    assert error.connected


def test_a_body_that_drips_does_not_hide_its_status(endpoint: Endpoint) -> None:
    """Once the status line and headers have arrived, the status counts, even if the body is not
    complete at the deadline."""
    with DrippingBody(404) as url:
        since = time.monotonic()
        assert isinstance(said(url, 1.0), Refused)
        assert time.monotonic() - since < LONG
    with DrippingBody(200) as url:
        assert said(url, 1.0) is None


class DrippingBody:
    """A server that sends the status line and headers at once, and then a body without end."""

    def __init__(self, status: int) -> None:
        self.head = f"HTTP/1.1 {status} X\r\nContent-Length: 100000\r\n\r\n".encode()

    def __enter__(self) -> str:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        connection, _ = self.listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(self.head)
            while not self.over.wait(0.2):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()
        self.listener.close()


@pytest.mark.parametrize(
    "step",
    [
        DROP_UNREAD,
        DROP_UNREAD_BODY,
        RECORDED_BUT_CUT_OFF,
        Step(status=503, body=b"x" * 99, ending=Ending.CUT).but(body=b""),
    ],
    ids=["before", "headers", "after", "cut"],
)
def test_a_connection_that_is_dropped_is_tried_again(endpoint: Endpoint, step: Step) -> None:
    """A dropped connection raises Unreachable: since the server may or may not have recorded the
    event, it is sent again with the same event_id."""
    endpoint.script(step)
    error = said(endpoint.url)
    assert isinstance(error, Unreachable)
    assert error.connected


def test_a_connection_is_kept_for_the_next_event(endpoint: Endpoint) -> None:
    """A client sends its events over one connection."""
    client = open_client(endpoint.url)
    for _ in range(3):
        client.send_event(BODY, WHERE, Deadline(LONG))
    assert endpoint.connections == 1
    endpoint.script(CLOSE_AFTERWARDS)
    client.send_event(BODY, WHERE, Deadline(LONG))
    client.close()


def test_a_response_with_a_body_keeps_the_connection(endpoint: Endpoint) -> None:
    """Responses with a body, whether successes or errors, leave the connection open for the next
    event."""
    client = open_client(endpoint.url)
    for step in (plain(200, b"{}"), plain(202, b"x" * 9999), html(200), NORMAL):
        endpoint.script(step)
        client.send_event(BODY, WHERE, Deadline(LONG))
    for step in (answer(400), answer(503), gateway(404)):
        endpoint.script(step)
        with pytest.raises(DeliveryError):
            client.send_event(BODY, WHERE, Deadline(LONG))
    assert endpoint.connections == 1
    client.close()


def test_a_response_is_not_unpacked(endpoint: Endpoint) -> None:
    """A compressed response is not decompressed: the request does not accept compression, and 60 KB
    may hold 60 MB."""
    bomb = plain(404, gzip.compress(b'{"message": "%s"}' % (b"x" * 50_000_000)))
    endpoint.script(bomb.but(headers={"Content-Encoding": "gzip"}))
    assert str(said(endpoint.url)).endswith("workspace prod: 404")
    assert endpoint.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("account", ["a\r\nb: c", "a\nb", "a\0", "é"])
def test_one_header_stays_one_header(endpoint: Endpoint, account: str) -> None:
    """An account that can't be a header's value is refused, and nothing is sent."""
    client = open_client(endpoint.url)
    with pytest.raises(Refused, match="this event can't be sent"):
        client.send_event(BODY, replace(WHERE, account=account), Deadline(LONG))
    client.close()
    assert endpoint.requests == []


@pytest.mark.parametrize("tls", [False, True])
def test_an_early_answer_to_a_large_upload_is_heard(tmp_path: Path, tls: bool) -> None:
    """If the server responds 413 to the headers and closes the connection during the upload, the
    error is that 413, and not a broken connection, which would be retried."""
    path = tmp_path / "state"
    path.write_bytes(b"x" * 20_000_000)
    bundle = tmp_path / "ca.pem" if tls else None
    with HangsUp(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", bundle) as server:
        client = open_client(server.url, bundle)
        with pytest.raises(Refused, match="413"):
            client.store_artifact(str(path), {"a": "b"}, WHERE, Deadline(LONG))
        client.close()
    assert server.connections == 1


def certify(ca_bundle: Path) -> ssl.SSLContext:
    """A TLS context with a certificate for 127.0.0.1; writes its CA certificate to `ca_bundle`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ca_bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


class HangsUp:
    """A server that responds to the first bytes of a request and closes the connection."""

    def __init__(self, response: bytes, ca_bundle: Path | None = None) -> None:
        self.response, self.connections = response, 0
        self.context = certify(ca_bundle) if ca_bundle else None

    def __enter__(self) -> HangsUp:
        self.listener = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if self.context else "http"
        self.url = f"{scheme}://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def serve(self) -> None:
        with suppress(OSError):  # the listener is closed at the end of the test
            while True:
                connection, _ = self.listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # sends at once
                self.connections += 1
                if self.context:
                    connection = self.context.wrap_socket(connection, server_side=True)
                with connection:
                    connection.recv(1000)
                    connection.sendall(self.response)

    def __exit__(self, *_: object) -> None:
        self.listener.close()


def test_what_is_sent_is_what_the_contract_says(endpoint: Endpoint) -> None:
    """The request's path and headers are the contract's; special characters in identifiers arrive
    unchanged."""
    odd = Destination("acct", "a/b ö%2F", "..", "x?y#z;" + "w" * 1000)
    client = open_client(endpoint.url)
    client.send_event(BODY, odd, Deadline(LONG))
    client.close()
    (request,) = endpoint.requests
    place = request.place
    assert place is not None
    assert (place.org, place.project, place.workspace) == (odd.org, odd.project, odd.workspace)
    assert request.headers["x-api-key"] == SECRET
    assert request.headers["harness-account"] == "acct"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept"] == "application/json"


@pytest.mark.parametrize("text", ["", ".", "..", "...", "a/../b", "%2e%2e", "a b", "ü", "\u2028"])
def test_a_segment_stays_one_segment(text: str) -> None:
    """Every identifier is one segment of the path, and none names a parent directory."""
    path = path_of(Destination("a", text, "p", "w"))
    assert path.count("/") == 7
    assert path.isascii()
    assert "/../" not in path
    assert "/./" not in path


def test_a_body_that_is_no_json_is_refused(endpoint: Endpoint) -> None:
    """A body with NaN or a lone surrogate is refused without a connection."""
    client = open_client(endpoint.url)
    for value in (float("nan"), "\udc80"):
        with pytest.raises(Refused):
            client.send_event({"event_type": "plan", "data": {"a": value}}, WHERE, Deadline(LONG))
    client.close()
    assert endpoint.connections == 0


# Servers that can't be reached


def test_a_closed_port_is_no_connection() -> None:
    """A closed port raises Unreachable; the error names the host and port without the path."""
    with closed_port() as url:
        error = said(url)
    assert isinstance(error, Unreachable)
    assert not error.connected
    assert str(error) == f"no connection to {url.removeprefix('http://')}: connection refused"


@pytest.mark.exhaustive
def test_a_black_hole_ends_within_its_seconds() -> None:
    """A send ends at its deadline if packets are dropped, as by a firewall."""
    with black_hole() as url:
        since = time.monotonic()
        error = said(url, 1.0)
    assert time.monotonic() - since < LONG
    assert isinstance(error, Unreachable)
    assert not error.connected


def test_a_name_that_is_not_known_is_said() -> None:
    """A host name that is not known raises Unreachable; RFC 2606 keeps `.invalid` unknown for
    ever."""
    error = said("http://tfevents.invalid")
    assert isinstance(error, Unreachable)
    assert str(error).startswith("no connection to tfevents.invalid: ")


@pytest.mark.exhaustive
def test_a_name_server_that_hangs_ends_within_its_seconds(tmp_path: Path) -> None:
    """A send ends at its deadline if the name server does not respond; the resolver alone might
    wait for half a minute."""
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:1\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        try:
            silent.bind(("127.0.0.1", 53))
        except OSError:
            pytest.skip("no right to be a name server")
        mount = 'mount --bind "$1" /etc/resolv.conf || exit 77; shift; exec "$@"'
        send = [sys.executable, "-c", SEND, "http://slow.example", "1.0"]
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", mount, "sh", tmp_path / "resolv.conf", *send],
            capture_output=True,
            text=True,
            timeout=25,
            check=False,
        )
    if not done.stdout:
        pytest.skip("no right to mount")
    assert done.stdout == "Unreachable no answer from slow.example: out of time\n"


def test_a_server_that_speaks_no_http_is_said() -> None:
    """A TLS connection to a plain port fails with an error about TLS, a plain request to a TLS port
    with Unreachable."""
    with Endpoint() as endpoint:
        error = said(endpoint.url.replace("http:", "https:"))
        assert "TLS" in str(error)
    with Endpoint(tls="127.0.0.1") as secure:
        assert isinstance(said(secure.url.replace("https:", "http:")), Unreachable)


def test_an_authority_of_ones_own_is_trusted_by_its_bundle() -> None:
    """A private CA is trusted if TFEVENTS_CA_BUNDLE names its certificate; without it, or if the
    server's certificate is for another name, the error is about the certificate."""
    with Endpoint(tls="127.0.0.1") as secure:
        assert said(secure.url, ca_bundle=secure.ca_bundle) is None
        error = said(secure.url)
        assert isinstance(error, Unreachable)
        assert "certificate is not trusted" in str(error)
        assert "TFEVENTS_CA_BUNDLE" in str(error)
    with Endpoint(tls="elsewhere.example") as other:
        error = said(other.url, ca_bundle=other.ca_bundle)
        assert "certificate" in str(error)


def test_a_bundle_that_is_none_is_a_broken_setting(tmp_path: Path) -> None:
    """A CA bundle without certificates raises SettingError."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text("no certificate")
    with pytest.raises(SettingError, match="holds no certificates"):
        open_client("https://127.0.0.1", bundle)


# Proxies, which environment variables set

SEND = """
import sys
from tfevents.errors import TfeventsError
from tfevents.journal.models import Destination
from tfevents.settings.model import ApiKey, Settings
from tfevents.deadline import Deadline
from tfevents.delivery.client import ApiClient
settings = Settings("/nowhere", url=sys.argv[1], api_key=ApiKey("pat.acct.tok.sec"))
try:
    where = Destination("acct", "o", "p", "w")
    seconds = float(sys.argv[2]) if sys.argv[2:] else 8.0
    ApiClient(settings).send_event({"event_type": "plan"}, where, Deadline(seconds))
    print("delivered")
except TfeventsError as error:
    print(type(error).__name__, error)
"""


def send_with(url: str, **env: str) -> str:
    """What SEND prints in a process with the environment `env`: `delivered` or the error."""
    done = subprocess.run(
        [sys.executable, "-c", SEND, url],
        env={"PATH": "/usr/bin:/bin", **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_proxy_of_the_environment_is_used(endpoint: Endpoint) -> None:
    """HTTP_PROXY gets the whole request to an http URL; the proxy is the endpoint here."""
    send_with("http://service.example", HTTP_PROXY=endpoint.url)
    (request,) = endpoint.requests
    assert request.target.startswith("http://service.example/iacm/api/orgs/")


def test_no_proxy_is_honoured(endpoint: Endpoint) -> None:
    """A host that NO_PROXY names is reached without the proxy."""
    with closed_port() as nowhere:
        assert send_with(endpoint.url, HTTP_PROXY=nowhere, NO_PROXY="127.0.0.1") == "delivered"
        assert "refused" in send_with(endpoint.url, HTTP_PROXY=nowhere)


def test_https_goes_through_a_tunnel(endpoint: Endpoint) -> None:
    """For an https URL the proxy gets a CONNECT without the API key; the endpoint does not support
    CONNECT."""
    said = send_with("https://service.example", HTTPS_PROXY=endpoint.url.replace("//", "//u:pw@"))
    assert said.startswith("Unreachable no connection to service.example: the proxy does not")
    (request,) = endpoint.requests
    assert request.method == "CONNECT"
    assert "x-api-key" not in request.headers


PROXIES = ["socks4://u:canary@127.0.0.1:1", "http://[canary", "canary://x", "socks5://canary:1"]


@pytest.mark.parametrize("value", exhaustive_except(PROXIES, *PROXIES[:2]))
def test_a_proxy_that_cannot_be_used_is_a_broken_setting(value: str) -> None:
    """An unusable proxy gives an error of one line, without the setting's value, which may have a
    password."""
    said = send_with("https://service.example", HTTPS_PROXY=value)
    assert said.startswith(("SettingError HTTPS_PROXY, HTTP_PROXY, ", "Unreachable "))
    assert "canary" not in said
    assert "\n" not in said
