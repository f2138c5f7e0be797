"""One POST after the other to one server, straight: what is heard of each, and what went wrong.

With the standard library's client, which wakes in a fifth of the time that httpx needs: a plan of
ten resources is over before httpx is there. Through a proxy it is `proxied.py`.
"""

from __future__ import annotations

import select
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from socket import gaierror
from time import monotonic
from urllib.parse import SplitResult

from tfevents.record import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` is slow to wake
    from typing import BinaryIO

CONNECT_SECONDS, READ_SECONDS = 2.0, 5.0
LARGEST_ANSWER = 65536


@dataclass(frozen=True)
class Letter:
    """What is posted. `target`: path and query of the server that the line leads to."""

    target: str
    headers: Mapping[str, str]
    body: bytes | BinaryIO = field(repr=False)
    asks: bool = False
    """Whether the body of a good answer is worth reading."""


@dataclass
class Answer:
    """What is known of one request so far. `connected`: whether the server was reached; `why`:
    what went wrong, in our words; `over`: there is no more to come."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    connected: bool = True
    why: str = "out of time"
    over: threading.Event = field(default_factory=threading.Event)


class Wire:
    """A connection that is kept; opened beside the run, so that the first event need not wait."""

    _idle: HTTPConnection | None = None

    def __init__(self, url: SplitResult, context: Callable[[], ssl.SSLContext]) -> None:
        self._context = context() if url.scheme == "https" else None
        self._host, self._port = url.hostname or "", url.port or (443 if self._context else 80)
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
            answer.connected = self._context is None and isinstance(error, ConnectionResetError)
            answer.why = _why(error, connecting=True)
            return
        try:
            connection.sock.settimeout(min(READ_SECONDS, seconds))
            connection.request("POST", letter.target, letter.body, dict(letter.headers))
            response = connection.getresponse()
            answer.headers, answer.status = _plain(response), response.status
            for chunk in _body(response, letter.asks):
                answer.body += chunk
                if len(answer.body) > LARGEST_ANSWER or monotonic() > deadline:
                    break
            self._keep(connection, response)
        except (OSError, HTTPException, ValueError) as error:
            answer.why = _why(error)
            connection.close()

    def _connection(self, seconds: float) -> HTTPConnection:
        """The one that is there already, if the server has not hung up; else a new one."""
        if self._opening is not None:
            self._opening.join()
            self._opening = None
        idle, self._idle = self._idle, None
        if idle is not None and not select.select([idle.sock], [], [], 0)[0]:
            return idle
        return self._connected(seconds)

    def _connected(self, seconds: float) -> HTTPConnection:
        connection: HTTPConnection
        if self._context is None:
            connection = HTTPConnection(self._host, self._port, timeout=seconds)
        else:
            connection = HTTPSConnection(
                self._host, self._port, timeout=seconds, context=self._context
            )
        connection.connect()
        return connection

    def _keep(self, connection: HTTPConnection, response: HTTPResponse) -> None:
        """For the next one, if nothing of this answer is still to come."""
        if response.length == 0:
            response.read()  # marks the end
        if response.isclosed() and connection.sock is not None:
            self._idle = connection
        else:
            response.close()
            connection.close()


def _plain(response: HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}


def _body(response: HTTPResponse, asks: bool) -> Iterator[bytes]:
    """The body of a refusal; a 2xx has said all with its status, unless it was asked for more."""
    if asks or not 200 <= response.status < 300:
        while chunk := response.read1(LARGEST_ANSWER):
            yield chunk


WHY: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "its certificate is not trusted (see TFEVENTS_CA_BUNDLE)"),
    (ssl.SSLError, "it does not speak TLS as we do"),
    (gaierror, "its name is not known"),
    (UnicodeError, "its name is not known"),
    (ConnectionRefusedError, "connection refused"),
    (HTTPException, "it hung up, or does not speak HTTP"),
    (ConnectionError, "connection reset"),
)


def _why(error: BaseException, *, connecting: bool = False) -> str:
    """The kind of failure; never its text, which may quote what it was given."""
    if isinstance(error, TimeoutError):
        return f"none within {CONNECT_SECONDS:g} s" if connecting else "out of time"
    return next((words for kind, words in WHY if isinstance(error, kind)), type(error).__name__)
