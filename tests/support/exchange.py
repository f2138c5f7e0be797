"""One connection of the endpoint: how bytes are read, answered, sent one by one, cut off and
dropped."""

from __future__ import annotations

import socket
import ssl
import struct
import sys
import threading
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from support.contract import Incoming
from support.step import Ending, Step

if TYPE_CHECKING:
    from support.endpoint import Endpoint

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Server(ThreadingHTTPServer):
    """Accepts connections for an endpoint and keeps track of the open ones."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, endpoint: Endpoint, context: ssl.SSLContext | None) -> None:
        self.endpoint, self.context = endpoint, context
        self.connections = 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Exchange)

    def opened(self) -> int:
        """Counts a new connection; returns its number."""
        with self._lock:
            self.connections += 1
            return self.connections

    def keep(self, connection: socket.socket) -> None:
        """Adds an open connection, so that `hang_up` can end it."""
        with self._lock:
            self._open.add(connection)

    def forget(self, connection: socket.socket) -> None:
        """Removes a connection that has ended by itself."""
        with self._lock:
            self._open.discard(connection)

    def hang_up(self) -> None:
        """Ends all connections that are still open, so that no thread stays behind."""
        with self._lock:
            for connection in self._open:
                _quietly_shut(connection, socket.SHUT_RDWR)

    def shutdown_request(self, request: object) -> None:
        """Closes without a TCP shutdown: a step may want a reset, which a shutdown would
        prevent."""
        assert isinstance(request, socket.socket)
        request.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignores a client that went away (OSError); any other error is an endpoint's bug, kept in
        `faults`."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.endpoint.faults.append(error)


class Exchange(BaseHTTPRequestHandler):
    """The handler of one connection; its requests come one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        """Numbers the connection and, for TLS, shakes hands (in this thread, not the
        acceptor's)."""
        self.number = self.server.opened()
        if self.server.context is not None:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.server.keep(self.request)
        super().setup()

    def finish(self) -> None:
        """Closes the connection."""
        self.server.forget(self.request)
        super().finish()
        self.request.close()

    def handle_one_request(self) -> None:
        """Reads one request as far as its step allows, and treats it as the step says."""
        self.close_connection = True
        if not self.rfile.peek(1):  # type: ignore[attr-defined]  # it is a BufferedReader
            return
        step = self.server.endpoint.next_step()
        if step.ending is Ending.DROP_UNREAD:
            self.server.endpoint.take(step, self.number, Incoming("", "", {}, b""))
            return self._reset()
        self.raw_requestline = self.rfile.readline(65537)
        if self.parse_request():
            self._meet(step)

    def _meet(self, step: Step) -> None:
        if step.ending is Ending.DROP_UNREAD_BODY:
            self.server.endpoint.take(step, self.number, self._incoming(b""))
            return self._reset()
        incoming = self._incoming(self._read_body())
        filled = self.server.endpoint.take(step, self.number, incoming)
        if filled.ending is Ending.DROP_UNANSWERED:
            return self._reset()
        if filled.ending is Ending.HANG or self.server.endpoint.closing.wait(filled.delay):
            self.server.endpoint.closing.wait()
            self.close_connection = True
            return
        self._speak(filled)

    def _incoming(self, body: bytes) -> Incoming:
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Incoming(self.command, self.path, headers, body)

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(iter(self._read_chunk, b""))
        length = int(self.headers.get("Content-Length", "0"))
        if length > self.server.endpoint.rules.max_body:
            self.close_connection = True
            return b""
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionResetError("the client went away in the middle of its body")
        return body

    def _read_chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def _speak(self, step: Step) -> None:
        head, body = self._head(step), step.body
        assert isinstance(body, bytes)
        for status in step.interim:
            self.wfile.write(_status_line(status) + b"Link: </hint>; rel=preload\r\n\r\n")
        if step.ending is Ending.CUT:
            self.wfile.write((head + body)[: len(head) + len(body) // 2 if body else -9])
            self.close_connection = True
        elif step.ending is Ending.DRIP:
            self._drip(head + body, step.pause)
        else:
            self.wfile.write(head + body)
        if step.closes or self.close_connection:
            self._close_gently()

    def _head(self, step: Step) -> bytes:
        assert step.status is not None
        headers = {"Server": "endpoint", "Date": self.date_time_string(), **step.headers}
        if step.status not in (204, 304):
            headers.setdefault("Content-Length", str(len(step.body)))  # type: ignore[arg-type]
        if self.close_connection:
            headers.setdefault("Connection", "close")
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return _status_line(step.status) + lines.encode() + b"\r\n"

    def _drip(self, message: bytes, pause: float) -> None:
        for byte in message:
            self.wfile.write(bytes([byte]))
            if self.server.endpoint.closing.wait(pause):
                return

    def _close_gently(self) -> None:
        """Reads until the client has closed: closing with unread bytes would reset the connection,
        and the answer might be lost."""
        self.close_connection = True
        _quietly_shut(self.request, socket.SHUT_WR)
        self.request.settimeout(1.0)
        while self.request.recv(65536):
            pass

    def _reset(self) -> None:
        self.close_connection = True
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing: requests are in `endpoint.requests`."""


def _status_line(status: int) -> bytes:
    known = {s.value: s.phrase for s in HTTPStatus}
    return f"HTTP/1.1 {status} {known.get(status, 'Scripted')}\r\n".encode()


def _quietly_shut(connection: socket.socket, how: int) -> None:
    with suppress(OSError):  # the connection may have ended meanwhile
        connection.shutdown(how)
