"""An HTTP server on loopback that accepts events, refuses them, or never responds."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Endpoint:
    """The server. `events`: the bodies of requests answered with 200, in order of arrival."""

    def __init__(self, status: int | None) -> None:
        """`status`: of every response; None: no request gets a response until the server closes."""
        self.status, self.closing = status, threading.Event()
        self.events: list[dict[str, Any]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(self))
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"http://127.0.0.1:{self.server.server_port}"


def _make_handler(endpoint: Endpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if endpoint.status is None:
                endpoint.closing.wait()
                self.close_connection = True
                return
            if endpoint.status == 200:
                endpoint.events.append(json.loads(body))
            self.send_response(endpoint.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            """Logs nothing: the self-test's own table shows the result."""

    return Handler


@contextmanager
def open_endpoint(status: int | None = 200) -> Iterator[Endpoint]:
    """Starts a server that runs until the block ends."""
    endpoint = Endpoint(status)
    thread = threading.Thread(target=endpoint.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.closing.set()
        endpoint.server.shutdown()
        endpoint.server.server_close()
        thread.join()


def find_closed_port() -> int:
    """A port on loopback on which no server listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
