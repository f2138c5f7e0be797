"""Parses a server's URL into the parts that decide where a key may be sent."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec import Struct

PORTS = {"http": 80, "https": 443}


class ServerUrl(Struct, frozen=True):
    """`netloc`: host and port as written. `user`: whether the URL has a user or password."""

    scheme: str
    netloc: str
    host: str
    port: int
    path: str
    user: bool = False

    @property
    def origin(self) -> str:
        """The URL without its path."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host name or IP address is that of this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def parse_url(text: str) -> ServerUrl:
    """Parses an http or https URL. Raises ValueError for any other text."""
    parts = urlsplit(text)
    _, at, place = parts.netloc.rpartition("@")
    host = parts.hostname or ""
    if parts.scheme not in PORTS or not host:
        raise ValueError("no address of a server")
    if place.startswith("["):
        ip_address(host)  # urlsplit before Python 3.11.4 accepts anything in brackets
        if place.partition("]")[2][:1] not in ("", ":"):
            raise ValueError("no port")
    port = PORTS[parts.scheme] if parts.port is None else parts.port
    return ServerUrl(parts.scheme, place, host, port, parts.path, user=bool(at))
