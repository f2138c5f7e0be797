"""The receiver as a running server: where it listens, and how it stops."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress

import uvicorn
from starlette.applications import Starlette

from tfevents.errors import SettingError

LOOPBACK = "127.0.0.1"
STOP_SECONDS = 5
"""How long requests that are under way may take when it is stopped."""
MOST_CONNECTIONS = 512


def listen(port: int) -> socket.socket:
    """A socket on loopback; port 0 is any that is free. Raises SettingError."""
    try:
        listener = socket.create_server((LOOPBACK, port), backlog=512)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        words = f"port {port} can't be used: {reason}; another one: --port"
        raise SettingError(words) from None
    # what it accepts has it, too: asyncio only sets it where a socket says that it is TCP
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def url_of(listener: socket.socket) -> str:
    """The address of what listens there, without a path."""
    host, port = listener.getsockname()
    return f"http://{host}:{port}"


def list_settings(url: str) -> tuple[str, ...]:
    """What to type in another terminal, so that runs are reported to this server."""
    return (
        f"export TFEVENTS_URL={url} TFEVENTS_API_KEY=pat.local.receive.demo",
        "export TFEVENTS_ORG=default TFEVENTS_PROJECT=demo TFEVENTS_WORKSPACE=demo",
    )


def run_server(app: Starlette, listener: socket.socket) -> None:
    """Serves until SIGINT or SIGTERM, and answers what is under way."""
    config = uvicorn.Config(
        app,
        access_log=False,
        limit_concurrency=MOST_CONNECTIONS,
        log_level="error",
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        ws="none",
    )
    server = uvicorn.Server(config)
    app.state.server = server
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):  # uvicorn, having stopped, sends the signal once more
        server.run(sockets=[listener])
