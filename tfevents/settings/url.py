"""A server's address as a URL, what may stand in the path of one, and what of an address is public.

`urllib.parse` knows every kind of URL, and takes as long to wake as a small plan's counting.
"""

from __future__ import annotations

from tfevents.record import dataclass

PORTS = {"http": 80, "https": 443}
PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
"""What needs no percent in a path (RFC 3986, unreserved)."""


@dataclass(frozen=True)
class Address:
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
        from _socket import AF_INET, AF_INET6, inet_pton

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


def segment(text: str) -> str:
    """One segment of a path, percent-encoded; also `.` and `..`, which mean something there."""
    if not text.strip("."):
        return text.replace(".", "%2E")
    return "".join(chr(b) if b in PLAIN else f"%{b:02X}" for b in text.encode())


HARMLESS = {
    **dict.fromkeys(("buildId", "releaseId", "id", "depth"), r"\d{1,20}"),
    "ref": r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}",
}
"""What may stay of a query: the names that vendors and module sources use, with such values."""
SCHEMES = "https?|ssh|git|git\\+ssh|git\\+https?|s3|gs|ftps?|svn(?:\\+ssh)?"
HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
PLACE = rf"{HOST}(?::\d{{1,5}})?"
PATH = r"[^\s\\@?#\x00-\x1f]*"
REST = r"(\?[^#]*)?(?:#.*)?"
GETTER = r"[a-z][a-z0-9]{0,9}"
NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}"


def public(text: str) -> str | None:
    """Scheme, host, port and path of an address; None where it names no host.

    Who signs in, the query (but for HARMLESS) and the fragment are nobody's business: a token may
    stand in each. `git@` stays before an ssh server: it is how one is spoken to, and says nothing.
    """
    return _public_url(text) or _public_scp(text)


def _public_url(text: str) -> str | None:
    import re  # not needed where no address is

    url = re.fullmatch(rf"(?i:({SCHEMES}))://(?:([^/?#]*)@)?({PLACE})(/{PATH})?{REST}", text)
    if url is None:  # Semaphore: http://git@github.com:owner/name.git
        url = re.fullmatch(rf"(?i:({SCHEMES}))://([^/?#]*)@({HOST})(:{PATH}){REST}", text)
    if url is None:
        return None
    scheme, user, place, path, query = url.groups()
    ssh = _git(user) if "ssh" in scheme.lower() else ""
    return f"{scheme}://{ssh}{place}{path or ''}{_harmless(query)}"


def _public_scp(text: str) -> str | None:
    """`git@host:path`, as ssh and rsync have it."""
    import re  # see above

    found = re.fullmatch(rf"(?:([^/?#@]*)@)?({HOST}):(?![:/]{{2}}|:)({PATH}){REST}", text)
    if found is None or not (found[1] is not None or "." in found[2]):
        return None
    user, host, path, query = found.groups()
    return f"{_git(user)}{host}:{path}{_harmless(query)}"


def _git(user: str | None) -> str:
    return "git@" if (user or "").partition(":")[0] == "git" else ""


def public_source(text: str) -> str | None:
    """The same of a module's source, which may also be a path in the configuration, a registry's
    name or a host's shorthand; None where nothing of it is public."""
    import re  # see above

    if re.fullmatch(rf"\.\.?(?:/{PATH})?", text):
        return text
    getter, mark, rest = text.partition("::")
    if mark:
        inner = public(rest) if re.fullmatch(GETTER, getter) else None
        return f"{getter}::{inner}" if inner else None
    if re.fullmatch(rf"(?:{PLACE}/)?{NAME}/{NAME}/{NAME}(?://{PATH})?", text):
        return text
    host = re.fullmatch(rf"(?:[^/?#]*@)?({PLACE})(/{PATH}){REST}", text)
    if host and "." in host[1]:
        return f"{host[1]}{host[2]}{_harmless(host[3])}"
    return public(text)


def _harmless(query: str | None) -> str:
    import re  # see above

    kept = []
    for part in (query or "").removeprefix("?").split("&"):
        name, _, value = part.partition("=")
        if name in HARMLESS and re.fullmatch(HARMLESS[name], value):
            kept.append(part)
    return f"?{'&'.join(kept)}" if kept else ""
