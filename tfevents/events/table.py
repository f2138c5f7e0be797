"""From a run to an event: the one table (design §3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from msgspec import Struct

from tfevents.terraform.arguments import Mode
from tfevents.terraform.counts import Counts
from tfevents.text import VALUE_BYTES, clean, clean_message

LARGEST = 60_000
"""Bytes of an event; the contract wants it far under 64 KiB."""
MESSAGE = "git_commit_message"
LONGEST_NAME = 256
LONGEST_TEXTS = (4096, 1024, 256)
"""Bytes of each text in it; the shorter, where the event would be larger than LARGEST."""


class Operation(str, Enum):
    """What the run set out to do."""

    PLAN = "plan"
    APPLY = "apply"
    DESTROY = "destroy"
    REFRESH = "refresh"
    IMPORT = "import"


def operation_of(command: str, mode: Mode) -> Operation:
    """`destroy` means the command, `apply -destroy`, or a plan that was made with `-destroy`."""
    if command == "apply" and mode is Mode.DESTROY:
        return Operation.DESTROY
    return Operation(command)


class Approval(str, Enum):
    """How terraform's question ended where it was not told yes; as `data.approval` says it."""

    DECLINED = "declined"
    EOF = "eof"
    INTERRUPTED = "interrupted"


class EventType(str, Enum):
    """The contract's `event_type`."""

    PLAN = "plan"
    DRIFTED = "drifted"
    PROVISIONING = "provisioning"
    DESTROYING = "destroying"
    ACTIVE = "active"
    INACTIVE = "inactive"
    APPLY_NEEDED = "apply_needed"
    FAILED = "failed"
    STAGE_COMPLETE = "stage-complete"


class Outcome(Struct, frozen=True):
    """How a run ended.

    `success`: terraform did what it was asked. `declined`: it asked, and was not told yes.
    `has_changes`: there was something to apply; `drift`: somebody changed something behind
    terraform's back. `empty`: the state holds nothing now. None is not known.
    """

    operation: Operation
    mode: Mode
    success: bool
    declined: bool = False
    has_changes: bool | None = None
    drift: bool | None = None
    empty: bool | None = None


class Activity(Struct, frozen=True):
    """One row's right side: what Harness is told."""

    event_type: EventType
    activity_type: str | None = None
    activity_status: str | None = None


def started(operation: Operation) -> Activity:
    """About to change things: approved, and not begun."""
    if operation is Operation.DESTROY:
        return Activity(EventType.DESTROYING, "destroy")
    return Activity(EventType.PROVISIONING, "apply")


def ended(outcome: Outcome) -> Activity | None:
    """What a run that has ended is reported as; None where nothing can be claimed.

    `active` and `inactive` schedule automatic destruction at Harness: a state that nobody could
    look at is neither.
    """
    if outcome.declined:
        return Activity(EventType.APPLY_NEEDED, "plan", "success")
    kind = activity_type(outcome.operation, outcome.mode)
    if not outcome.success:
        return Activity(EventType.FAILED, kind, "failure")
    event_type = _succeeded(outcome)
    return Activity(event_type, kind, "success") if event_type else None


def activity_type(operation: Operation, mode: Mode) -> str:
    """The contract's `activity_type` of a run; a refresh is an apply."""
    if operation is Operation.PLAN and mode is Mode.REFRESH_ONLY:
        return "drifted"
    return "apply" if operation is Operation.REFRESH else operation.value


def _succeeded(outcome: Outcome) -> EventType | None:
    if outcome.operation is Operation.IMPORT:
        return EventType.ACTIVE
    if outcome.operation is not Operation.PLAN:
        return _held(outcome.empty)
    if outcome.mode is Mode.REFRESH_ONLY and outcome.drift is None:
        return None
    if outcome.mode is Mode.REFRESH_ONLY:
        return EventType.DRIFTED if outcome.drift else EventType.PLAN
    if outcome.has_changes is None:
        return None
    return EventType.APPLY_NEEDED if outcome.has_changes else EventType.PLAN


def _held(empty: bool | None) -> EventType | None:
    if empty is None:
        return None
    return EventType.INACTIVE if empty else EventType.ACTIVE


class Numbers(Struct, frozen=True):
    """What was counted; None is absent, never zero."""

    resources: Counts | None = None
    outputs: Counts | None = None
    drift: Counts | None = None

    def metadata(self) -> dict[str, Any]:
        """The contract's count fields."""
        named = {
            "resource_counts": self.resources,
            "output_counts": self.outputs,
            "drift_counts": self.drift,
        }
        fields: dict[str, Any] = {n: c.as_json() for n, c in named.items() if c is not None}
        if self.resources is not None:
            fields["PlannedChangesCount"] = self.resources.planned
        return fields


class Event(Struct, frozen=True):
    """The body of one POST. `metadata` and `data` only hold what is known."""

    event_type: str
    metadata: Mapping[str, Any] = {}
    data: Mapping[str, str] = {}

    @property
    def size(self) -> int:
        """Bytes as it is sent, at most."""
        import json  # slow to wake

        return len(json.dumps(self.body()).encode())

    def body(self) -> dict[str, Any]:
        """The contract's SendEventRequest."""
        body: dict[str, Any] = {"event_type": self.event_type}
        if self.metadata:
            body["metadata"] = dict(self.metadata)
        if self.data:
            body["data"] = dict(self.data)
        return body


def describe(
    activity: Activity, metadata: Mapping[str, Any], data: Mapping[str, str | None]
) -> Event:
    """The event of an activity: unknown fields are left out, never empty.

    Every text is cleaned and bounded, and so is the whole, whatever our own finding is made of.
    """
    about = {
        "activity_type": activity.activity_type,
        "activity_status": activity.activity_status,
        **metadata,
    }
    for most in LONGEST_TEXTS:
        event = Event(activity.event_type.value, _metadata(about, most), _data(data, most))
        if event.size <= LARGEST:
            break
    return event


def _metadata(fields: Mapping[str, Any], most: int) -> dict[str, Any]:
    """What is known of them; a text of more than `most` bytes is no fact, but for a message."""
    message = clean_message(fields.get(MESSAGE), most)
    return _filled({**_cleaned(fields, min(most, VALUE_BYTES)), MESSAGE: message})


def _data(fields: Mapping[str, str | None], most: int) -> dict[str, str]:
    """Also what somebody tells by hand, with its lines; each is cut at `most` bytes."""
    names = ((clean(name, LONGEST_NAME), text) for name, text in fields.items())
    return _filled({name: clean_message(text, most) for name, text in names if name})


def _cleaned(value: Any, most: int) -> Any:
    """`value` with every text in it as one printable line, however deep."""
    if isinstance(value, str):
        return clean(value, most)
    if isinstance(value, Mapping):
        return _filled({clean(name, LONGEST_NAME): _cleaned(v, most) for name, v in value.items()})
    return [_cleaned(v, most) for v in value] if isinstance(value, list) else value


def _filled(fields: Mapping[Any, Any]) -> dict[Any, Any]:
    return {name: v for name, v in fields.items() if name and v not in (None, "", {})}
