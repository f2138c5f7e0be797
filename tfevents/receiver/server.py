"""Runs an ASGI application as an HTTP server: opens the listening socket, serves, and stops on a
signal."""

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
"""Seconds that requests in progress have to finish when the server stops."""
MOST_CONNECTIONS = 512


class Certificate(Struct, frozen=True):
    """A server's TLS certificate: the paths of two PEM files, the chain and its private key."""

    chain: str
    key: str

    def check(self) -> None:
        """Raises SettingError if the files can't be read or are not a certificate with its
        unencrypted key."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.chain, self.key, password="")  # else OpenSSL prompts
        except OSError:
            words = f"{self.chain} and {self.key} are no certificate with its unencrypted key"
            raise SettingError(f"--tls-cert, --tls-key: {words}") from None


def listen(port: int, host: str = LOOPBACK) -> socket.socket:
    """A listening TCP socket on `host`, an address of this machine; port 0 picks a free port.

    Raises SettingError if the address or port can't be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        reason = os.strerror(number) if (number := error.errno or 0) > 0 else "no such address"
        where = f"port {port}" if host == LOOPBACK else f"port {port} of {host}"
        words = f"{where} can't be used: {reason}; another one: --port"
        raise SettingError(words) from None
    # accepted connections inherit the option; asyncio sets it only for sockets whose `proto` is
    # IPPROTO_TCP, which those of create_server do not have
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    """The URL of the server that listens on a socket, without a path."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def list_settings(url: str) -> tuple[str, ...]:
    """The shell commands that make runs in another terminal report to the server at `url`."""
    return (
        f"export TFEVENTS_URL={url} TFEVENTS_API_KEY=pat.local.receive.demo",
        "export TFEVENTS_ORG=default TFEVENTS_PROJECT=demo TFEVENTS_WORKSPACE=demo",
    )


def run_server(
    app: Starlette,
    listener: socket.socket,
    certificate: Certificate | None = None,
    connections: int = MOST_CONNECTIONS,
    *,
    lifespan: bool = False,
) -> None:
    """Serves until SIGINT or SIGTERM; requests in progress then have STOP_SECONDS to finish.

    `connections`: the most that are open at a time; further requests are answered with 503.
    `lifespan`: whether the application has a lifespan of its own.
    """
    config = uvicorn.Config(
        app,
        access_log=False,
        lifespan="on" if lifespan else "off",
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
    with suppress(KeyboardInterrupt):  # uvicorn raises the signal again after stopping
        server.run(sockets=[listener])
