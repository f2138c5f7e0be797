"""What an event is made of: the contract's words as types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from msgspec import Struct

from tfevents.terraform.arguments import Mode
from tfevents.terraform.counts import Counts


class Operation(str, Enum):
    """What the run set out to do."""

    PLAN = "plan"
    APPLY = "apply"
    DESTROY = "destroy"
    REFRESH = "refresh"
    IMPORT = "import"


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
        return len(json.dumps(self.body()).encode())

    def body(self) -> dict[str, Any]:
        """The contract's SendEventRequest."""
        body: dict[str, Any] = {"event_type": self.event_type}
        if self.metadata:
            body["metadata"] = dict(self.metadata)
        if self.data:
            body["data"] = dict(self.data)
        return body
