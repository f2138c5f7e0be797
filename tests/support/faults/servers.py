"""Servers that need not speak HTTP: they send given bytes, endless bytes, or nothing."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

Reply = Callable[[], Iterable[bytes]]
"""The pieces that are sent after the request; then the connection is closed. An empty one waits."""
LARGEST = 1 << 30


class Server:
    """Answers every connection alike, and keeps the requests in `heard`."""

    def __init__(self, reply: Reply, context: ssl.SSLContext | None = None) -> None:
        self.heard: list[bytes] = []
        self._reply, self._context = reply, context
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Server:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:  # the client may have closed the connection
            connection.settimeout(30)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                self.heard.append(_read_request(connection))
                for piece in self._reply():
                    if not piece:
                        self._closing.wait(30)
                    connection.sendall(piece)


def _read_request(connection: socket.socket) -> bytes:
    """A request with its body, or as much of it as arrived."""
    heard = b""
    while not _is_whole(heard):
        piece = connection.recv(65536)
        if not piece:
            break
        heard += piece
    return heard


def _is_whole(heard: bytes) -> bool:
    head, end, body = heard.partition(b"\r\n\r\n")
    lines = dict(line.lower().partition(b": ")[::2] for line in head.split(b"\r\n")[1:])
    return bool(end) and len(body) >= int(lines.get(b"content-length", b"0"))


def say(*pieces: bytes) -> Reply:
    """A reply of these pieces."""
    return lambda: pieces


def hang() -> Iterator[bytes]:
    """Sends nothing, and keeps the connection open."""
    yield b""


def flood() -> Iterator[bytes]:
    """Sends a gigabyte, as its Content-Length says."""
    yield b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGEST
    for _ in range(LARGEST >> 20):
        yield b"x" * (1 << 20)


def flood_headers() -> Iterator[bytes]:
    """Sends a gigabyte of headers."""
    yield b"HTTP/1.1 200 OK\r\n"
    for _ in range(LARGEST >> 20):
        yield b"X-Y: " + b"x" * (1 << 20) + b"\r\n"
