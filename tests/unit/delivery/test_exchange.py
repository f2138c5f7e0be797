"""HTTP/1.1 as servers and proxies speak it, well and badly, over a real socket."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tfevents.delivery.exchange import Connection, Letter, NoHTTP, Reply

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def server(*answers: bytes, hangs_up: bool = False) -> Iterator[tuple[Connection, list[bytes]]]:
    """A server that answers each request with these bytes; what it heard beside it."""
    ours, theirs = socket.socketpair()
    heard: list[bytes] = []

    def serve() -> None:
        with suppress(OSError), theirs, theirs.makefile("rb") as file:  # we may be gone
            for answer in answers:
                heard.append(_request(file))
                theirs.sendall(answer)
            if not hangs_up:
                file.read(1)  # until we hang up

    thread = threading.Thread(target=serve)
    thread.start()
    ours.settimeout(10)
    connection = Connection(ours, "app.example:8443")
    try:
        yield connection, heard
    finally:
        connection.close()
        thread.join()


def _request(file: io.BufferedReader) -> bytes:
    head = b"".join(iter(file.readline, b"\r\n"))
    length = int(head.lower().partition(b"content-length: ")[2].split()[0])
    return head + b"\r\n" + file.read(length)


def post(connection: Connection, body: bytes = b"{}") -> Reply:
    return connection.post(Letter("/a?b=c", {"x-api-key": "pat.a.b.c"}, body))


def heard_of(answer: bytes, *, hangs_up: bool = True) -> tuple[int, bytes, bool]:
    """Status, body and whether the connection can be used again."""
    with server(answer, hangs_up=hangs_up) as (connection, _):
        reply = post(connection)
        body = b"".join(reply.body())
        return reply.status, body, reply.keeps


def test_a_request_is_what_it_should_be() -> None:
    with server(OK) as (connection, heard):
        post(connection, b'{"a": 1}')
    assert heard == [
        b"POST /a?b=c HTTP/1.1\r\nHost: app.example:8443\r\nAccept-Encoding: identity\r\n"
        b'x-api-key: pat.a.b.c\r\nContent-Length: 8\r\n\r\n{"a": 1}'
    ]


def test_a_file_is_sent_as_it_is() -> None:
    data = bytes(range(256)) * 1000
    letter = Letter("/", {"Content-Length": str(len(data))}, io.BytesIO(data))
    with server(OK) as (connection, heard):
        assert connection.post(letter).status == 200
    assert heard[0].endswith(b"\r\n\r\n" + data)


def test_one_connection_after_the_other_answer() -> None:
    second = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\ncontent-LENGTH:3\r\n\r\nabc"
    with server(OK, second, OK) as (connection, _):
        assert post(connection).keeps
        reply = post(connection)
        assert (reply.status, reply.headers["retry-after"], reply.keeps) == (503, "7", False)
        assert (b"".join(reply.body()), reply.keeps) == (b"abc", True)
        assert post(connection).status == 200


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcd", (200, b"ab", True)),
        (b"HTTP/1.1 400 \r\n\r\nuntil the end", (400, b"until the end", False)),
        (b"HTTP/1.1 400\r\nContent-Length: x\r\n\r\nabc", (400, b"abc", False)),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", (200, b"a", False)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"", True)),
        (b"HTTP/1.1 200 OK\nContent-Length: 1\n\na", (200, b"a", True)),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", (200, b"", False)),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK,
            (200, b"", True),
        ),
        (
            b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"
            b"3;x=y\r\nabc\r\n0a\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
            (500, b"abc0123456789", True),
        ),
    ],
)
def test_answers_are_understood(answer: bytes, expected: tuple[int, bytes, bool]) -> None:
    assert heard_of(answer) == expected


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 20\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 200 OK\r\na: " + b"b" * 70000 + b"\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 101,
        b"HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 101,
        b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n",
    ],
)
def test_what_is_no_answer_is_said_so(answer: bytes) -> None:
    with pytest.raises(NoHTTP):
        heard_of(answer)


@pytest.mark.parametrize(
    "letter",
    [
        Letter("/a b", {}, b""),
        Letter("/a\r\nx: y", {}, b""),
        Letter("/", {"x": "a\r\nb: c"}, b""),
        Letter("/", {"x": "a\0"}, b""),
        Letter("/", {"x\n": "a"}, b""),
    ],
)
def test_one_header_stays_one_header(letter: Letter) -> None:
    """Whatever an account or a key may hold; nothing is sent of it."""
    ours, theirs = socket.socketpair()
    with theirs:
        connection = Connection(ours, "h")
        with pytest.raises(ValueError, match="one header a line"):
            connection.post(letter)
        connection.close()
        assert theirs.recv(1) == b""
