"""A server's address as a URL.

`urllib.parse` knows every kind of URL, and takes as long to wake as a small plan's counting.
"""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_pton

from msgspec import Struct

PORTS = {"http": 80, "https": 443}


class Address(Struct, frozen=True):
    """`netloc` is host and port as they were written; `user`: whether somebody signs in."""

    scheme: str
    netloc: str
    host: str
    port: int
    path: str
    user: bool = False

    @property
    def origin(self) -> str:
        """The server alone."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def loopback(self) -> bool:
        """Whether it is this machine."""
        if self.host == "localhost":
            return True
        try:
            if ":" in self.host:
                return int.from_bytes(inet_pton(AF_INET6, self.host), "big") == 1
            return inet_pton(AF_INET, self.host)[0] == 127
        except OSError:
            return False


def parse(text: str) -> Address:
    """An http or https address. Raises ValueError."""
    scheme, mark, rest = text.partition("://")
    scheme = scheme.lower()
    netloc, slash, path = rest.partition("/")
    _, at, place = netloc.rpartition("@")
    host, port = _split(place)
    if not mark or scheme not in PORTS or not host:
        raise ValueError("no address of a server")
    return Address(scheme, place, host, _port(port, PORTS[scheme]), slash + path, user=bool(at))


def _split(place: str) -> tuple[str, str]:
    """Host and port; an IPv6 address stands in brackets."""
    if not place.startswith("["):
        host, _, port = place.partition(":")
        return host.lower(), port
    host, bracket, port = place[1:].partition("]")
    if not bracket or ":" not in host or (port and not port.startswith(":")):
        raise ValueError("half an IPv6 address")
    return host.lower(), port[1:]


def _port(text: str, usual: int) -> int:
    if not text:
        return usual
    if not (text.isascii() and text.isdigit()) or int(text[:6]) > 65535:
        raise ValueError("no port")
    return int(text)
