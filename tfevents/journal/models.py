"""What the journal keeps: runs, events, whose they are and what became of them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from enum import Enum
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, astuple, replace


class Status(str, Enum):
    """Where an event stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    REFUSED = "refused"


class Destination(Struct, frozen=True):
    """Whose event it is; what is None was not known when the event was put."""

    account: str | None = None
    org: str | None = None
    project: str | None = None
    workspace: str | None = None

    def filled(self, other: Destination) -> Destination:
        """With what `other` knows and this does not."""
        mine = {name: value for name, value in asdict(self).items() if value is not None}
        return replace(other, **mine)

    def missing(self) -> list[str]:
        """The names of what is not known."""
        return [name for name, value in asdict(self).items() if value is None]


class Queue(Struct, frozen=True):
    """Events that are sent one after the other, in order.

    Those of one destination; where that is not known in full, those of one directory and terraform
    workspace, which are None where the destination says it all.
    """

    destination: Destination
    directory: str | None = None
    tf_workspace: str | None = None

    @property
    def key(self) -> str:
        """What it is claimed by."""
        whose = list(astuple(self.destination))
        where = [self.directory, self.tf_workspace] if self.destination.missing() else []
        return json.dumps(whose + where)


def queue_of(
    destination: Destination, directory: str | None = None, tf_workspace: str | None = None
) -> Queue:
    """The queue of an event."""
    if destination.missing():
        return Queue(destination, directory, tf_workspace)
    return Queue(destination)


def own_queues(
    destination: Destination, directory: str | None, tf_workspace: str | None
) -> dict[Queue, Destination]:
    """Where a run's own events wait → where they go: also what its directory put for the same
    workspace while there was no key, and so no account."""
    before = replace(destination, account=None)
    return {
        queue_of(destination, directory, tf_workspace): destination,
        queue_of(before, directory, tf_workspace): destination,
    }


class Run(Struct, frozen=True):
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


class StoredEvent(Struct, frozen=True):
    """An event in the journal and what became of it.

    `directory`: where its run's settings are, as an absolute path; None in a journal of before.
    `given`: the names of what a person told of its destination.
    """

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
    directory: str | None = None
    tf_workspace: str | None = None
    given: tuple[str, ...] = ()

    @property
    def queue(self) -> Queue:
        """What it is sent with."""
        return queue_of(self.destination, self.directory, self.tf_workspace)

    @property
    def says_killed(self) -> bool:
        """Whether it is the end of a run that nobody saw end."""
        return (self.body.get("data") or {}).get("interrupted") == "killed"


class NewEvent(Struct, frozen=True):
    """An event on its way into the journal. `reason`: why it can't be sent now, where it can't."""

    event_id: str
    run_id: str
    destination: Destination
    body: Mapping[str, Any]
    directory: str | None = None
    tf_workspace: str | None = None
    reason: str | None = None

    @property
    def queue(self) -> Queue:
        """What it is sent with."""
        return queue_of(self.destination, self.directory, self.tf_workspace)


class EventState(Struct, frozen=True):
    """What became of an event so far."""

    status: Status
    reason: str | None
    attempts: int


def locate(directory: str) -> str:
    """A directory as the journal keeps it: its real path, with `?` for what is no character."""
    return as_text(os.path.realpath(directory))


def as_text(text: str) -> str:
    """What can be stored and sent: `?` for what is no character."""
    return text.encode(errors="replace").decode()


def now() -> str:
    """The time as RFC 3339, UTC, to the millisecond."""
    return at(time.time())


def at(seconds: float) -> str:
    """A time since the epoch, written as `now` is."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"
