"""What the journal keeps: runs, events, whose they are and what became of them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from tfevents.lean import Enum
from tfevents.record import dataclass, replace

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` is slow to wake
    from typing import Any


class Status(str, Enum):
    """Where an event stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    REFUSED = "refused"


@dataclass(frozen=True)
class Destination:
    """Whose event it is; what is None was not known when the event was put."""

    account: str | None = None
    org: str | None = None
    project: str | None = None
    workspace: str | None = None

    def filled(self, other: Destination) -> Destination:
        """With what `other` knows and this does not."""
        mine = {name: value for name, value in self.__dict__.items() if value is not None}
        return replace(other, **mine)

    def missing(self) -> list[str]:
        """The names of what is not known."""
        return [name for name, value in self.__dict__.items() if value is None]


@dataclass(frozen=True)
class Run:
    """One run of the provisioner. `base`: what its end is told with if nobody sees it."""

    run_id: str
    operation: str
    mode: str
    directory: str
    opened_at: str
    key: str | None = None
    command: str | None = None
    base: Mapping[str, Any] | None = None
    ended_at: str | None = None
    exit_code: int | None = None


@dataclass(frozen=True)
class Entry:
    """An event in the journal and what became of it."""

    seq: int
    event_id: str
    run_id: str
    destination: Destination
    body: dict[str, Any]
    status: Status
    reason: str | None
    attempts: int
    put_at: str
    settled_at: str | None


@dataclass(frozen=True)
class NewEvent:
    """An event on its way into the journal."""

    event_id: str
    run_id: str
    destination: Destination
    body: Mapping[str, Any]


def lane_of(destination: Destination) -> str:
    """Events with the same destination are one lane: sent one after the other, in order."""
    return json.dumps(list(destination.__dict__.values()))


def now() -> str:
    """The time as RFC 3339, UTC, to the millisecond."""
    return at(time.time())


def at(seconds: float) -> str:
    """A time since the epoch, written as `now` is."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"
