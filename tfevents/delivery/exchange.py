"""One request and its answer over a connection, in HTTP/1.1 (RFC 9112), in bounded memory.

`http.client` reads headers with the email package, which takes longer to wake than everything
else that delivery needs. Only what a POST to a service needs is here: no redirects, no cookies.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from msgspec import Struct

LINE, LINES = 65536, 100
"""Bytes of a header line, and how many there may be."""
PIECE = 65536
BODILESS = frozenset({204, 304})


class NoHTTP(Exception):
    """What was heard is no answer: nothing at all, or something else than HTTP."""


class Letter(Struct, frozen=True):
    """What is posted. `target`: path and query of the server that the line leads to."""

    target: str
    headers: Mapping[str, str]
    body: bytes | BinaryIO
    asks: bool = False
    """Whether the body of a good answer is worth reading."""


class Connection:
    """A socket that is spoken to in turn. `host`: as the server is called, with its port."""

    def __init__(self, sock: socket.socket, host: str) -> None:
        self.sock, self._host = sock, host
        self._heard = sock.makefile("rb")

    def close(self) -> None:
        """Hangs up."""
        self._heard.close()
        self.sock.close()

    def post(self, letter: Letter) -> Reply:
        """The head of the answer. Raises OSError, NoHTTP, and ValueError for a header that
        would be more than one."""
        self.sock.sendall(_head(letter, self._host))
        if isinstance(letter.body, bytes):
            self.sock.sendall(letter.body)
        else:
            while piece := letter.body.read(PIECE):
                self.sock.sendall(piece)
        return _reply(self._heard)


def _head(letter: Letter, host: str) -> bytes:
    headers = {"Host": host, "Accept-Encoding": "identity", **letter.headers}
    if isinstance(letter.body, bytes):
        headers["Content-Length"] = str(len(letter.body))
    lines = [f"POST {letter.target} HTTP/1.1", *(f"{n}: {v}" for n, v in headers.items())]
    if not all(map(str.isprintable, lines)) or " " in letter.target:
        raise ValueError("a request has one header a line")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Reply:
    """An answer, as it comes: its status and headers are there, its body is read on demand.

    `whole`: nothing of it is still to come, so that the connection can be used again.
    """

    def __init__(self, heard: BinaryIO, status: int, headers: Mapping[str, str]) -> None:
        self.status, self.headers = status, headers
        self._heard, self._left = heard, _length(status, headers)
        self._chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        self.whole = self._left == 0 and not self._chunked

    @property
    def keeps(self) -> bool:
        """Whether the server goes on listening."""
        return self.whole and "close" not in self.headers.get("connection", "").lower()

    def body(self) -> Iterator[bytes]:
        """The pieces as they arrive. Raises OSError, NoHTTP."""
        yield from self._chunks() if self._chunked else self._plain(self._left)
        self.whole = self._chunked or self._left is not None

    def _plain(self, length: int | None) -> Iterator[bytes]:
        """So many bytes, or all until the server hangs up."""
        while length is None or length > 0:
            most = PIECE if length is None else min(PIECE, length)
            piece = self._heard.read1(most)  # type: ignore[attr-defined]  # as they arrive
            if not piece and length is None:
                return
            if not piece:
                raise NoHTTP("it ends too early")
            length = None if length is None else length - len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while size := _size(_line(self._heard)):
            yield from self._plain(size)
            if _line(self._heard):
                raise NoHTTP("a chunk is longer than it says")
        for _ in range(LINES):
            if not _line(self._heard):
                return
        raise NoHTTP("too many trailers")


def _reply(heard: BinaryIO) -> Reply:
    """What is only said in between (100 Continue, 103 Early Hints) is passed by."""
    for _ in range(LINES):
        status, old = _status(_line(heard))
        headers = _headers(heard)
        if not (100 <= status < 200 and status != 101):
            return Reply(heard, status, {"connection": "close", **headers} if old else headers)
    raise NoHTTP("it never comes to an end")


def _status(line: bytes) -> tuple[int, bool]:
    """The status, and whether the server is one of HTTP/1.0."""
    version, _, rest = line.partition(b" ")
    code = rest.strip()[:3]
    if not version.startswith(b"HTTP/1.") or len(code) != 3 or not code.isdigit():
        raise NoHTTP("no status line")
    return int(code), version == b"HTTP/1.0"


def _headers(heard: BinaryIO) -> dict[str, str]:
    """Names in lower case; of a name that comes twice, the last."""
    found: dict[str, str] = {}
    for _ in range(LINES):
        line = _line(heard)
        if not line:
            return found
        name, _, value = line.decode("latin-1").partition(":")
        found[name.strip().lower()] = value.strip()
    raise NoHTTP("too many headers")


def _line(heard: BinaryIO) -> bytes:
    line = heard.readline(LINE + 1)
    if not line.endswith(b"\n"):
        raise NoHTTP("half a line")
    return line.rstrip(b"\r\n")


def _length(status: int, headers: Mapping[str, str]) -> int | None:
    """How long the body is; None where that is until the server hangs up."""
    if status in BODILESS:
        return 0
    text = headers.get("content-length", "")
    return int(text[:18]) if text.isascii() and text.isdigit() else None


def _size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not 0 < len(digits) <= 16 or digits.strip(b"0123456789abcdefABCDEF"):
        raise NoHTTP("no size of a chunk")
    return int(digits, 16)
