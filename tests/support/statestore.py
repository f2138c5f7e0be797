"""A state backend on loopback (terraform's `http`), which stores, refuses and hides states on
demand."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import ClassVar


class StateStore:
    """`state` is what is stored. `refuses`: after how many writes it refuses more; `hidden`: it
    answers as if empty; `broken`: it refuses to be read; `hangs`: it never answers a read after a
    write, and `asked` says that there was one."""

    def __init__(self) -> None:
        self.state = b""
        self.writes = 0
        self.refuses: int | None = None
        self.hidden = False
        self.broken = False
        self.hangs = self.asked = False
        self._over = threading.Event()
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            names: ClassVar[dict[str, str]] = {}

            def do_GET(self) -> None:
                if store.broken:
                    return self._answer(403, b"")
                if store.hangs and store.writes:
                    store.asked = True
                    store._over.wait()
                state = b"" if store.hidden else store.state
                return self._answer(200 if state else 404, state)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if store.refuses is not None and store.writes >= store.refuses:
                    return self._answer(403, b"")
                store.writes += 1
                store.state = body
                return self._answer(200, b"")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def block(self) -> str:
        """The configuration that uses this backend."""
        address = f"http://127.0.0.1:{self._server.server_address[1]}/state"
        return f'terraform {{\n backend "http" {{\n  address = "{address}"\n }}\n}}\n'

    def __enter__(self) -> StateStore:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
