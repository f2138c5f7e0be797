"""Decides which event reports a run, from its operation and outcome."""

from __future__ import annotations

from tfevents.events.model import Activity, EventType, Operation, Outcome
from tfevents.terraform.arguments import Mode


def find_operation(command: str, mode: Mode) -> Operation:
    """The operation of a run; an apply in destroy mode is a destroy.

    Destroy mode is `apply -destroy`, or the apply of a plan made with `-destroy`.
    """
    if command == "apply" and mode is Mode.DESTROY:
        return Operation.DESTROY
    return Operation(command)


def make_start_activity(operation: Operation) -> Activity:
    """The activity reported when changes are approved and about to begin."""
    if operation is Operation.DESTROY:
        return Activity(EventType.DESTROYING, "destroy")
    return Activity(EventType.PROVISIONING, "apply")


def make_end_activity(outcome: Outcome) -> Activity | None:
    """The activity reported when a run has ended; None if too little is known for any.

    Harness schedules automatic destruction by `active` and `inactive`, so neither is reported
    after an apply or destroy unless it is known whether the state is empty.
    """
    if outcome.declined:
        return Activity(EventType.APPLY_NEEDED, "plan", "success")
    kind = activity_type(outcome.operation, outcome.mode)
    if not outcome.success:
        return Activity(EventType.FAILED, kind, "failure")
    event_type = _find_success_event_type(outcome)
    return Activity(event_type, kind, "success") if event_type else None


def activity_type(operation: Operation, mode: Mode) -> str:
    """The contract's `activity_type` of a run; `apply` for a refresh."""
    if operation is Operation.PLAN and mode is Mode.REFRESH_ONLY:
        return "drifted"
    return "apply" if operation is Operation.REFRESH else operation.value


def _find_success_event_type(outcome: Outcome) -> EventType | None:
    if outcome.operation is Operation.IMPORT:
        return EventType.ACTIVE
    if outcome.operation is not Operation.PLAN:
        return _find_state_event_type(outcome.empty)
    if outcome.mode is Mode.REFRESH_ONLY and outcome.drift is None:
        return None
    if outcome.mode is Mode.REFRESH_ONLY:
        return EventType.DRIFTED if outcome.drift else EventType.PLAN
    if outcome.has_changes is None:
        return None
    return EventType.APPLY_NEEDED if outcome.has_changes else EventType.PLAN


def _find_state_event_type(empty: bool | None) -> EventType | None:
    if empty is None:
        return None
    return EventType.INACTIVE if empty else EventType.ACTIVE
