"""One POST after the other to one server, straight: what is heard of each, and what went wrong.

httpx is not here yet when a plan of ten resources is over; through a proxy it is `proxied.py`.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from time import monotonic

from msgspec import Struct, field

from tfevents.delivery.exchange import Connection, Letter, NoHTTP, Reply
from tfevents.delivery.trust import Trust
from tfevents.settings.url import Address

CONNECT_SECONDS, READ_SECONDS = 2.0, 5.0
LARGEST_ANSWER = 65536


class Answer(Struct):
    """What is known of one request so far. `connected`: whether the server was reached; `why`:
    what went wrong, in our words; `over`: there is no more to come."""

    status: int | None = None
    headers: Mapping[str, str] = {}
    body: bytes = b""
    connected: bool = True
    why: str = "out of time"
    over: threading.Event = field(default_factory=threading.Event)


class Wire:
    """A connection that is kept; opened beside the run, so that the first event need not wait."""

    _idle: Connection | None = None

    def __init__(self, address: Address, ca_bundle: str | None = None) -> None:
        """Raises SettingError for a bundle that is none."""
        self._address = address
        self._trust: Trust | None = None
        if address.scheme == "https":
            from tfevents.delivery.trust import Trust  # slow to wake, and not needed on loopback

            self._trust = Trust(ca_bundle)
        self._opening: threading.Thread | None = None

    def open(self) -> None:
        """Begins to connect, in the background; whoever posts first waits for it."""
        self._opening = threading.Thread(target=self._open, name="connect", daemon=True)
        self._opening.start()

    def _open(self) -> None:
        with suppress(OSError, ValueError):  # whoever posts tries again, and says why
            self._idle = self._connected(CONNECT_SECONDS)

    def close(self) -> None:
        """Hangs up."""
        idle, self._idle = self._idle, None
        if idle is not None:
            idle.close()

    def __del__(self) -> None:
        self.close()  # Python warns of a socket that nobody closed

    def post(self, letter: Letter, answer: Answer, seconds: float) -> None:
        """Fills in `answer` as it comes."""
        deadline = monotonic() + seconds
        try:
            connection = self._connection(min(CONNECT_SECONDS, seconds))
        except (OSError, ValueError) as error:
            # a reset is somebody's answer, but in a handshake rather a firewall's
            answer.connected = self._trust is None and isinstance(error, ConnectionResetError)
            answer.why = _why(error, connecting=True)
            return
        try:
            connection.sock.settimeout(min(READ_SECONDS, seconds))
            reply = connection.post(letter)
            answer.headers, answer.status = reply.headers, reply.status
            for piece in _body(reply, letter.asks):
                answer.body += piece
                if len(answer.body) > LARGEST_ANSWER or monotonic() > deadline:
                    break
            self._keep(connection, reply)
        except (OSError, NoHTTP, ValueError) as error:
            answer.why = _why(error)
            connection.close()

    def _connection(self, seconds: float) -> Connection:
        """The one that is there already, if the server has not hung up; else a new one."""
        if self._opening is not None:
            self._opening.join()
            self._opening = None
        idle, self._idle = self._idle, None
        if idle is not None and not select.select([idle.sock], [], [], 0)[0]:
            return idle
        if idle is not None:
            idle.close()
        return self._connected(seconds)

    def _connected(self, seconds: float) -> Connection:
        """Whom the roots that lie ready don't vouch for may be vouched for by the rest."""
        try:
            return self._reached(seconds)
        except OSError as error:
            distrusted = type(error).__name__ == "SSLCertVerificationError"
            if not (distrusted and self._trust and self._trust.complete()):
                raise
        return self._reached(seconds)

    def _reached(self, seconds: float) -> Connection:
        address = self._address
        # bytes: a name that is no ASCII was refused, and the codec for it is slow to wake
        sock = socket.create_connection((address.host.encode(), address.port), seconds)  # type: ignore[arg-type]  # typeshed knows no bytes
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._trust is not None:
                sock = self._trust.context.wrap_socket(sock, server_hostname=address.host)
            return Connection(sock, address.netloc)
        except BaseException:
            sock.close()
            raise

    def _keep(self, connection: Connection, reply: Reply) -> None:
        """For the next one, if nothing of this answer is still to come."""
        if reply.keeps:
            self._idle = connection
        else:
            connection.close()


def _body(reply: Reply, asks: bool) -> Iterator[bytes]:
    """The body of a refusal; a 2xx has said all with its status, unless it was asked for more."""
    if asks or not 200 <= reply.status < 300:
        yield from reply.body()


WHY: dict[str, str] = {
    "SSLCertVerificationError": "its certificate is not trusted (see TFEVENTS_CA_BUNDLE)",
    "SSLError": "it does not speak TLS as we do",
    "gaierror": "its name is not known",
    "UnicodeError": "its name is not known",
    "ConnectionRefusedError": "connection refused",
    "NoHTTP": "it hung up, or does not speak HTTP",
    "ConnectionError": "connection reset",
}
"""By the name of the error's class, or of what it is a kind of: ssl is only there where it is
needed."""


def explain(error: BaseException, words: Mapping[str, str] = WHY) -> str | None:
    """The kind of failure; never its text, which may quote what it was given."""
    names = (kind.__name__ for kind in type(error).__mro__)
    return next((words[name] for name in names if name in words), None)


def _why(error: BaseException, *, connecting: bool = False) -> str:
    if isinstance(error, TimeoutError):
        return f"none within {CONNECT_SECONDS:g} s" if connecting else "out of time"
    return explain(error) or type(error).__name__
