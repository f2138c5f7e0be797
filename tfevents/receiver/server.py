"""The receiver as a running server: where it listens, and how it stops."""

from __future__ import annotations

import os
import signal
import socket
import ssl
from contextlib import suppress

import uvicorn
from msgspec import Struct
from starlette.applications import Starlette

from tfevents.errors import SettingError

LOOPBACK = "127.0.0.1"
STOP_SECONDS = 5
"""How long requests that are under way may take when it is stopped."""
MOST_CONNECTIONS = 512


class Certificate(Struct, frozen=True):
    """The PEM files that make a server speak TLS: the chain, and its key."""

    chain: str
    key: str

    def check(self) -> None:
        """Raises SettingError for files that can't be used."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.chain, self.key, password="")  # else it would ask
        except OSError:
            words = f"{self.chain} and {self.key} are no certificate with its unencrypted key"
            raise SettingError(f"--tls-cert, --tls-key: {words}") from None


def listen(port: int, host: str = LOOPBACK) -> socket.socket:
    """A socket at an address of this machine; port 0 is any that is free. Raises SettingError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        reason = os.strerror(number) if (number := error.errno or 0) > 0 else "no such address"
        where = f"port {port}" if host == LOOPBACK else f"port {port} of {host}"
        words = f"{where} can't be used: {reason}; another one: --port"
        raise SettingError(words) from None
    # what it accepts has it, too: asyncio only sets it where a socket says that it is TCP
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    """The address of what listens there, without a path."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def list_settings(url: str) -> tuple[str, ...]:
    """What to type in another terminal, so that runs are reported to this server."""
    return (
        f"export TFEVENTS_URL={url} TFEVENTS_API_KEY=pat.local.receive.demo",
        "export TFEVENTS_ORG=default TFEVENTS_PROJECT=demo TFEVENTS_WORKSPACE=demo",
    )


def run_server(
    app: Starlette,
    listener: socket.socket,
    certificate: Certificate | None = None,
    connections: int = MOST_CONNECTIONS,
) -> None:
    """Serves until SIGINT or SIGTERM, and answers what is under way."""
    config = uvicorn.Config(
        app,
        access_log=False,
        limit_concurrency=connections,
        log_level="error",
        server_header=False,
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
        timeout_graceful_shutdown=STOP_SECONDS,
        ws="none",
    )
    server = uvicorn.Server(config)
    app.state.server = server
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):  # uvicorn, having stopped, sends the signal once more
        server.run(sockets=[listener])
