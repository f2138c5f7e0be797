"""The contract's event and its parts as types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from msgspec import Struct

from tfevents.terraform.arguments import Mode
from tfevents.terraform.counts import Counts


class Operation(str, Enum):
    """What a run was started to do."""

    PLAN = "plan"
    APPLY = "apply"
    DESTROY = "destroy"
    REFRESH = "refresh"
    IMPORT = "import"


class Approval(str, Enum):
    """How terraform's approval prompt ended without a yes; the values of `data.approval`."""

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

    `success`: terraform did what it was started for. `declined`: its approval prompt was not
    answered with yes. `has_changes`: the plan had changes to apply. `drift`: objects were changed
    outside of terraform. `empty`: the state holds nothing after the run. None: not known.
    """

    operation: Operation
    mode: Mode
    success: bool
    declined: bool = False
    has_changes: bool | None = None
    drift: bool | None = None
    empty: bool | None = None


class Activity(Struct, frozen=True):
    """What an event reports: its type, and the contract's activity type and status."""

    event_type: EventType
    activity_type: str | None = None
    activity_status: str | None = None


class Numbers(Struct, frozen=True):
    """The counts of a run; None means not known, which is never sent as zero."""

    resources: Counts | None = None
    outputs: Counts | None = None
    drift: Counts | None = None

    def metadata(self) -> dict[str, Any]:
        """The known counts, under the contract's metadata names."""
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
    """An event as it is sent. `metadata` and `data` contain only known fields."""

    event_type: str
    metadata: Mapping[str, Any] = {}
    data: Mapping[str, str] = {}

    @property
    def size(self) -> int:
        """The most bytes that the body takes as JSON."""
        return len(json.dumps(self.body()).encode())

    def body(self) -> dict[str, Any]:
        """The event as the contract's SendEventRequest."""
        body: dict[str, Any] = {"event_type": self.event_type}
        if self.metadata:
            body["metadata"] = dict(self.metadata)
        if self.data:
            body["data"] = dict(self.data)
        return body
