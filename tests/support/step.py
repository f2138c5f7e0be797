"""How the endpoint treats one request: a step of its script, by which it can misbehave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from support import envelope
from support.contract import Incoming


class Ending(Enum):
    """What happens to the connection."""

    ANSWER = auto()  # a whole answer
    CUT = auto()  # half of the answer's body, then closed
    DRIP = auto()  # the answer, byte by byte
    DROP_UNREAD = auto()  # reset as soon as the first byte arrives
    DROP_UNREAD_BODY = auto()  # reset when the headers are read
    DROP_UNANSWERED = auto()  # everything read, then reset without an answer
    HANG = auto()  # everything read, never answered


Body = bytes | Callable[[Incoming], bytes]


@dataclass(frozen=True)
class Step:
    """How one request is treated; `status` None means: as the contract says.

    `recorded` None: an event counts as recorded if it is good and no status but 2xx was asked for,
    whether its answer arrives or not. `interim` are 1xx answers that are sent first. `closes` ends
    the connection after the answer without announcing it.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = b""
    delay: float = 0.0
    pause: float = 0.05  # seconds between the bytes of a drip
    ending: Ending = Ending.ANSWER
    recorded: bool | None = None
    interim: tuple[int, ...] = ()
    closes: bool = False

    def but(self, **changes: object) -> Step:
        """The same step with some fields changed: `answer(503).but(delay=2.0)`."""
        return replace(self, **changes)  # type: ignore[arg-type]  # dataclasses.replace checks


NORMAL = Step()
HANG = Step(ending=Ending.HANG, recorded=False)
DROP_UNREAD = Step(ending=Ending.DROP_UNREAD, recorded=False)
DROP_UNREAD_BODY = Step(ending=Ending.DROP_UNREAD_BODY, recorded=False)
RECORDED_BUT_CUT_OFF = Step(ending=Ending.DROP_UNANSWERED)
# A quick client may send its next request before it sees the end of the connection, as in reality.
# To make sure that this request fails, let it meet DROP_UNREAD.
CLOSE_AFTERWARDS = Step(closes=True)

_NAMES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    408: "timeout",
    409: "conflict",
    423: "locked",
    499: "context_cancelled",
    500: "internal_server_error",
    502: "bad_gateway",
}


def answer(status: int, message: str = "scripted", *, retry_after: str | int | None = None) -> Step:
    """An error in the service's own format; `retry_after` in seconds or as an HTTP date."""
    temporary = status in (408, 423, 425, 429, 499, 502, 503, 504)
    name = _NAMES.get(status, "error")
    said = envelope.goa(name, message, temporary=temporary, timeout=status in (408, 504))
    return _spoken(status, said, retry_after)


def gateway(status: int, code: str = "ERROR", *, retry_after: str | int | None = None) -> Step:
    """An error in the gateway's format."""
    return _spoken(status, envelope.gateway(code, "scripted by the gateway"), retry_after)


def html(status: int, title: str = "Bad Gateway", *, retry_after: str | int | None = None) -> Step:
    """A proxy's HTML page."""
    return _spoken(status, envelope.html(title), retry_after)


def plain(status: int, body: Body = b"", content_type: str | None = None) -> Step:
    """Any body under any content type, or under none."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    return Step(status=status, headers=headers, body=body)


def echo(status: int) -> Step:
    """An error whose message repeats the request's key and body."""

    def body(incoming: Incoming) -> bytes:
        heard = incoming.headers.get("x-api-key", "") + " " + incoming.body.decode(errors="replace")
        return envelope.goa(_NAMES.get(status, "error"), heard).body

    return Step(status=status, headers={"Content-Type": envelope.GOA_TYPE}, body=body)


def nested(status: int, depth: int = 100_000) -> Step:
    """JSON nested so deep that a recursive parser fails."""
    return plain(status, b"[" * depth + b"]" * depth, "application/json")


def enormous(status: int, size: int = 50_000_000) -> Step:
    """An error message of `size` bytes."""
    return plain(status, b'{"message":"' + b"x" * size + b'"}', "application/json")


def truncated(status: int) -> Step:
    """An error response whose body ends in the middle of its JSON, although the connection is
    fine."""
    whole = answer(status)
    assert isinstance(whole.body, bytes)
    return replace(whole, body=whole.body[: len(whole.body) // 2])


def not_utf8(status: int) -> Step:
    """An error response with bytes that are not UTF-8."""
    return plain(status, b'{"message":"\xff\xfe\x80"}', "application/json")


def redirect(location: str, status: int = 307) -> Step:
    """Redirects the client."""
    return Step(status=status, headers={"Location": location})


def _spoken(status: int, said: envelope.Envelope, retry_after: str | int | None) -> Step:
    headers = dict(said.headers)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return Step(status=status, headers=headers, body=said.body)
