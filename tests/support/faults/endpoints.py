"""Cases of servers that misbehave, of their certificates, and of proxies on the way."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta, timezone

import trustme

from support import step
from support.endpoint import Endpoint
from support.faults import servers
from support.faults.case import Arrange, Case
from support.faults.scene import Scene
from support.faults.servers import Reply, Server, say
from support.nowhere import black_hole, closed_port
from support.step import Ending, Step, answer

OK = b"HTTP/1.1 200 OK\r\n"
HTML = b"<html><body>canary</body></html>"


def speaking(way: Step) -> Arrange:
    """Sends events to an endpoint that treats every request as this step says."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        with Endpoint() as endpoint:
            endpoint.always(way)
            scene.servers.append(endpoint)
            scene.told["TFEVENTS_URL"] = endpoint.url
            yield

    return arrange


def replying(reply: Reply) -> Arrange:
    """Sends events to a server that answers with these bytes."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        with Server(reply) as server:
            scene.servers.append(server)
            scene.told["TFEVENTS_URL"] = f"http://{server.address}"
            yield

    return arrange


def nobody(place: object) -> Arrange:
    """Sends events to an address at which nothing answers; `place` is a context manager that gives
    it."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        with place() as url:  # type: ignore[operator]
            scene.told["TFEVENTS_URL"] = url
            yield

    return arrange


def named(url: str) -> Arrange:
    """Sends events to this URL."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        scene.told["TFEVENTS_URL"] = url
        yield

    return arrange


RETRIES = ("0", "-1", "1.5", "9" * 400, "soon", "Wed, 21 Oct 2099 07:28:00 GMT", "\u00e9", "")
DRIP = Step(status=200, ending=Ending.DRIP, pause=0.3, recorded=False)
LATE = Step(status=200, delay=8, recorded=False)
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n"
NOT_MINE = b'{"event": "\xff\xfe", "id": ["canary"]}'

ENDPOINTS: Mapping[str, tuple[Arrange, bool | None]] = {
    "nobody listens": (nobody(closed_port), False),
    "no connection is ever made": (nobody(black_hole), False),
    "a name that nobody knows": (named("https://nowhere.invalid"), False),
    "no answer": (speaking(step.HANG), False),
    "a late answer": (speaking(LATE), False),
    "an answer byte by byte": (speaking(DRIP), False),
    "a reset at once": (speaking(step.DROP_UNREAD), False),
    "a reset in the middle": (speaking(step.DROP_UNREAD_BODY), False),
    "a reset instead of an answer": (speaking(step.RECORDED_BUT_CUT_OFF), False),
    "half an answer": (speaking(answer(200).but(ending=Ending.CUT)), None),
    "the connection ends behind each answer": (speaking(step.CLOSE_AFTERWARDS), True),
    "an early end": (replying(say(b"")), False),
    "half a status line": (replying(say(b"HTTP/1.1 2")), False),
    "no HTTP": (replying(say(b"SSH-2.0-canary\r\n")), False),
    "HTTP/1.0": (replying(say(b"HTTP/1.0 200 OK\r\n\r\n")), True),
    "HTTP/9.9": (replying(say(b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n")), True),
    "a length that is too large": (replying(say(OK + b"Content-Length: 99\r\n\r\n{}")), None),
    "a length that is too small": (replying(say(OK + b"Content-Length: 1\r\n\r\n{}{}")), None),
    "a length that is no number": (replying(say(OK + b"Content-Length: x\r\n\r\n")), False),
    "two lengths": (replying(say(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}")), False),
    "chunks that are none": (replying(say(OK + CHUNKS + b"canary\r\n\xff\xff")), None),
    "an endless chunk": (replying(say(OK + CHUNKS + b"f" * 99999)), None),
    "a gigabyte": (replying(servers.flood), None),
    "a gigabyte of headers": (replying(servers.flood_headers), False),
    "a redirect": (speaking(step.redirect("https://u:canary@login.example/?canary")), False),
    "a redirect to itself": (speaking(step.redirect("/")), False),
    "a redirect to no URL": (speaking(step.redirect("http://[canary")), False),
    **{
        f"429, Retry-After: {wait[:30]!r}": (speaking(answer(429, retry_after=wait)), False)
        for wait in RETRIES
        if wait.isascii()
    },
    **{
        str(status): (speaking(answer(status)), False)
        for status in (400, 401, 403, 404, 408, 409, 413, 423, 451, 499, 500, 502, 503, 504, 599)
    },
    "what it heard, said back": (speaking(step.echo(400)), False),
    "what it heard, said back, 401": (speaking(step.echo(401)), False),
    "a page": (speaking(step.html(503)), False),
    "a page that says 200": (speaking(step.plain(200, HTML, "text/html")), None),
    "JSON that is another": (speaking(step.plain(200, NOT_MINE, "application/json")), None),
    "JSON nested deeply": (speaking(step.nested(500)), False),
    "50 MB of an error": (speaking(step.enormous(500)), False),
    "an error that is no UTF-8": (speaking(step.not_utf8(500)), False),
    "half an error": (speaking(step.truncated(500)), False),
    "status 299": (speaking(Step(status=299)), None),
    "status 304": (speaking(Step(status=304)), False),
    "100 and 103 before": (speaking(Step(status=200, interim=(100, 103))), True),
}


# TLS


def make_context(authority: trustme.CA, host: str = "127.0.0.1", days: int = 30) -> ssl.SSLContext:
    """The TLS context of a server with a certificate that is valid for so many days from now."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    until = datetime.now(timezone.utc) + timedelta(days=days)
    authority.issue_cert(host, not_after=until).configure_cert(context)
    return context


def make_old(authority: trustme.CA) -> ssl.SSLContext:
    """The TLS context of a server that speaks TLS 1.1 at most."""
    context = make_context(authority)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


@contextmanager
def secure(scene: Scene, variable: str | None, **certificate: object) -> Iterator[None]:
    """Sends events to a server with such a certificate; the environment variable `variable` names
    its CA file."""
    authority = trustme.CA()
    make = make_old if certificate.pop("old", False) else make_context
    context = make(authority, **certificate)  # type: ignore[arg-type]
    reply = say(OK + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
    authority.cert_pem.write_to_path(str(scene.place / "ca.pem"))
    with Server(reply, context) as server:
        scene.servers.append(server)
        scene.told["TFEVENTS_URL"] = f"https://{server.address}"
        if variable:
            scene.told[variable] = str(scene.place / "ca.pem")
        yield


def trusting(variable: str | None, **certificate: object) -> Arrange:
    """Sends events to a server with such a certificate, as `secure` does."""

    def arrange(scene: Scene) -> AbstractContextManager[None]:
        return secure(scene, variable, **certificate)

    return arrange


def plain_server() -> Arrange:
    """Sends events to an HTTPS address at which plain HTTP is spoken."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        with Server(say(OK + b"\r\n")) as server:
            scene.servers.append(server)
            scene.told["TFEVENTS_URL"] = f"https://{server.address}"
            yield

    return arrange


def silent_handshake() -> Arrange:
    """Sends events to a server that never answers the TLS handshake."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        with Server(servers.hang) as server:
            scene.servers.append(server)
            scene.told["TFEVENTS_URL"] = f"https://{server.address}"
            yield

    return arrange


def broken_bundle(variable: str) -> Arrange:
    """Names a file without certificates in the environment variable."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        (scene.place / "broken.pem").write_text("canary")
        with secure(scene, None):
            scene.told[variable] = str(scene.place / "broken.pem")
            yield

    return arrange


BUNDLE, FILE = "TFEVENTS_CA_BUNDLE", "SSL_CERT_FILE"
TLS: Mapping[str, tuple[Arrange, bool | None]] = {
    "a CA that is told": (trusting(BUNDLE), True),
    "a CA in SSL_CERT_FILE": (trusting(FILE), True),
    "an unknown CA": (trusting(None), False),
    "expired": (trusting(BUNDLE, days=-2), False),
    "another host's": (trusting(BUNDLE, host="other.example"), False),
    "TLS 1.1": (trusting(BUNDLE, old=True), False),
    "no TLS": (plain_server(), False),
    "no handshake": (silent_handshake(), False),
    "a bundle that is none": (broken_bundle(BUNDLE), False),
    "SSL_CERT_FILE is none": (broken_bundle(FILE), False),
}


# Proxies


def through(reply: Reply | None, url: str, user: str = "", **more: str) -> Arrange:
    """Sends events to `url` through a proxy that answers with `reply`, or is not there if None.
    Without `url` they go to the healthy endpoint; `user` is the proxy's `name:password@`."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        with Server(reply or say()) as server, closed_port() as closed:
            address = server.address if reply else closed.removeprefix("http://")
            scene.servers.append(server)
            proxy = f"http://{user}{address}"
            scene.told.update({"TFEVENTS_URL": url or scene.healthy.url, **more})
            scene.told.update({"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "http_proxy": proxy})
            if not url:
                scene.servers.append(scene.healthy)
            yield

    return arrange


FAR = "https://service.example"
ASKS = b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="canary"'
END = b"\r\nContent-Length: 0\r\n\r\n"
PROXIES: Mapping[str, tuple[Arrange, bool | None]] = {
    "nobody listens": (through(None, FAR), False),
    "no answer": (through(servers.hang, FAR), False),
    "asks for a password": (through(say(ASKS + END), FAR), False),
    "refuses a password": (through(say(ASKS + END), FAR, "me:canary-password@"), False),
    "502": (through(say(b"HTTP/1.1 502 Bad Gateway" + END), FAR), False),
    "no HTTP": (through(say(b"\x05\xff"), FAR), False),
    "lets through to nobody": (through(say(OK + b"\r\n"), FAR), False),
    "of a kind that is none": (through(None, FAR, ALL_PROXY="canary://canary"), False),
    "a page for a plain request": (through(say(OK + b"\r\n" + HTML), "http://127.0.0.1:9"), None),
    "NO_PROXY": (through(None, "", NO_PROXY="127.0.0.1", no_proxy="127.0.0.1"), True),
    "NO_PROXY=*": (through(None, "", NO_PROXY="*", no_proxy="*"), True),
}

CASES = [
    Case(group, name, arrange, arrives)
    for group, table in (("endpoint", ENDPOINTS), ("TLS", TLS), ("proxy", PROXIES))
    for name, (arrange, arrives) in table.items()
]
