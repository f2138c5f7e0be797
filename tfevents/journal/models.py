"""Defines the journal's records: runs, events, their destinations, queues and status."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from enum import Enum
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, astuple, replace

from tfevents.settings.model import Settings


class Status(str, Enum):
    """The delivery status of an event."""

    PENDING = "pending"
    DELIVERED = "delivered"
    REFUSED = "refused"


class Destination(Struct, frozen=True):
    """Where an event is sent; a field is None if it was not known when the event was put."""

    account: str | None = None
    org: str | None = None
    project: str | None = None
    workspace: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Destination:
        """The destination that these settings name."""
        return cls(settings.account, settings.org, settings.project, settings.workspace)

    def filled(self, other: Destination) -> Destination:
        """This destination, its unknown fields taken from `other`."""
        mine = {name: value for name, value in asdict(self).items() if value is not None}
        return replace(other, **mine)

    def missing(self) -> list[str]:
        """The names of the unknown fields."""
        return [name for name, value in asdict(self).items() if value is None]


class Queue(Struct, frozen=True):
    """Events that are sent one after the other, in order.

    A queue holds the events of one destination; if that is incomplete, only those of one directory
    and terraform workspace. Both are None if the destination is complete.
    """

    destination: Destination
    directory: str | None = None
    tf_workspace: str | None = None

    @property
    def key(self) -> str:
        """The key of the claim of this queue in the journal."""
        whose = list(astuple(self.destination))
        where = [self.directory, self.tf_workspace] if self.destination.missing() else []
        return json.dumps(whose + where)


def queue_of(
    destination: Destination, directory: str | None = None, tf_workspace: str | None = None
) -> Queue:
    """The queue of an event with this destination, directory and terraform workspace."""
    if destination.missing():
        return Queue(destination, directory, tf_workspace)
    return Queue(destination)


def own_queues(
    destination: Destination, directory: str | None, tf_workspace: str | None
) -> dict[Queue, Destination]:
    """The queues of a run's own events → `destination`.

    One of them holds earlier events of the same directory and Harness workspace that were put
    without an account, as there was no API key.
    """
    before = replace(destination, account=None)
    return {
        queue_of(destination, directory, tf_workspace): destination,
        queue_of(before, directory, tf_workspace): destination,
    }


class Run(Struct, frozen=True):
    """One run of the provisioner.

    `key`: identifies a run that a hook opened; None for a run with a process. `base`: the data for
    the end event if the run is abandoned.
    """

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
    """An event in the journal and its delivery status.

    `directory`: the absolute path whose settings its run used; None for events of version 0.
    `given`: the fields of the destination that `tfevents flush --assign` has filled in.
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
        """The queue that the event is sent with."""
        return queue_of(self.destination, self.directory, self.tf_workspace)

    @property
    def says_killed(self) -> bool:
        """Whether this is the end event of a run that was found killed."""
        return (self.body.get("data") or {}).get("interrupted") == "killed"


class NewEvent(Struct, frozen=True):
    """An event to put in the journal. `reason`: why it can't be sent now; None if it can."""

    event_id: str
    run_id: str
    destination: Destination
    body: Mapping[str, Any]
    directory: str | None = None
    tf_workspace: str | None = None
    reason: str | None = None

    @property
    def queue(self) -> Queue:
        """The queue that the event is sent with."""
        return queue_of(self.destination, self.directory, self.tf_workspace)


class EventState(Struct, frozen=True):
    """The delivery status of an event, without its body."""

    status: Status
    reason: str | None
    attempts: int


def locate(directory: str) -> str:
    """A directory as the journal stores it: its real path, as by `as_text`."""
    return as_text(os.path.realpath(directory))


def as_text(text: str) -> str:
    """`text` with `?` for surrogates (undecodable bytes), so that it can be stored and sent."""
    return text.encode(errors="replace").decode()


def now() -> str:
    """The current time as RFC 3339, UTC, to the millisecond."""
    return format_time(time.time())


def format_time(seconds: float) -> str:
    """A time in seconds since the epoch, in the format of `now`."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"
