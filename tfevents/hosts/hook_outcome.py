"""Determines the outcome of a host's run: as the host gave it, else as plan and states prove it.

What was not given and can't be proven is left out.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from tfevents.events.model import Activity, Numbers, Operation, Outcome
from tfevents.events.table import activity_type, make_end_activity, make_start_activity
from tfevents.reporting.outcome import count_plan
from tfevents.reporting.saved_plan import SavedPlan
from tfevents.terraform.arguments import Mode
from tfevents.terraform.counts import Counts, has_changes
from tfevents.terraform.plan import Plan
from tfevents.terraform.reconcile import StatePair, done_to_outputs, done_to_resources
from tfevents.terraform.state import Identity, State


class HookFacts(Struct, frozen=True):
    """What is known when the run has ended; None for what is not.

    `succeeded`: by the exit code or the host. `numbers_before`: the plan's counts as of `before`,
    for a host that has deleted the plan since. `identity_before`: that of the state.
    `changes_by_code`: whether there are changes, by the exit code of `plan -detailed-exitcode`.
    `refreshed`: False for a plan with `-refresh=false`. `targeted`: whether a flag such as
    `-target` limited the plan.
    """

    operation: Operation
    mode: Mode
    succeeded: bool | None = None
    planned: SavedPlan | None = None
    numbers_before: Numbers | None = None
    identity_before: Identity | None = None
    state_after: State | None = None
    changes_by_code: bool | None = None
    refreshed: bool = True
    targeted: bool = False


class HookOutcome(Struct, frozen=True):
    """What is reported. `activity` is None where nothing can be claimed, `succeeded` where the
    outcome is unknown. `missing`: `plan` or `state`, where reporting more would have needed it."""

    activity: Activity | None
    numbers: Numbers
    succeeded: bool | None
    missing: str | None = None


def determine_hook_outcome(facts: HookFacts) -> HookOutcome:
    """The outcome as given, else as proven, with the counts of what was done."""
    plan = facts.planned.plan if facts.planned else None
    numbers, proven = _count_done(facts, plan)
    succeeded = proven if facts.succeeded is None else facts.succeeded
    outcome = Outcome(
        operation=facts.operation,
        mode=facts.mode,
        success=succeeded is not False,
        has_changes=has_changes(plan) if plan else facts.changes_by_code,
        drift=numbers.drift != Counts() if numbers.drift else None,
        empty=facts.state_after.empty if facts.state_after else None,
    )
    activity = make_end_activity(outcome) if succeeded is not None else None
    missing = _name_missing(facts) if succeeded else None
    activity = activity or _make_fallback_activity(facts, succeeded)
    return HookOutcome(activity, numbers, succeeded, missing)


def _make_fallback_activity(facts: HookFacts, succeeded: bool | None) -> Activity | None:
    """The activity where the end can't be reported: that the apply or destroy has begun. None for
    a plan, since the event `plan` means that there is nothing to apply.

    An unknown outcome is left out, and a workspace is never reported active or inactive on a
    guess: Harness schedules its destruction from that.
    """
    if facts.operation is Operation.PLAN:
        return None
    kind = activity_type(facts.operation, facts.mode)
    return Activity(
        make_start_activity(facts.operation).event_type, kind, "success" if succeeded else None
    )


def _name_missing(facts: HookFacts) -> str | None:
    if facts.operation is Operation.PLAN:
        return None if facts.planned else "plan"
    unseen = facts.state_after is None and facts.operation is not Operation.IMPORT
    return "state" if unseen else None


def _count_done(facts: HookFacts, plan: Plan | None) -> tuple[Numbers, bool | None]:
    """The counts of what was done, and the outcome that plan and states prove; None if unproven."""
    if plan is None:
        return (facts.numbers_before or Numbers()) if facts.succeeded else Numbers(), None
    targeted = facts.planned is not None and facts.planned.targeted
    saved = facts.operation is not Operation.PLAN
    numbers = count_plan(
        plan, saved=saved, partial=targeted or facts.targeted, refreshed=saved or facts.refreshed
    )
    if facts.operation is Operation.PLAN:
        return numbers, not plan.errored
    prior = facts.planned.prior if facts.planned else None
    if prior is None or facts.state_after is None:
        return (numbers if facts.succeeded else Numbers()), _prove_not_applied(plan, facts)
    return _compare_states(plan, numbers, StatePair.of(prior, facts.state_after), facts.succeeded)


def _compare_states(
    plan: Plan, planned_numbers: Numbers, states: StatePair, succeeded: bool | None
) -> tuple[Numbers, bool | None]:
    """The same as `_count_done`, from the states before and after the run."""
    done = done_to_resources(plan, states)
    all_done = done == planned_numbers.resources
    did_something = all_done and done is not None and done.planned > 0
    finished = bool(succeeded or (succeeded is None and did_something))
    outputs = done_to_outputs(plan, states.after, finished=finished)
    if finished:
        return replace(planned_numbers, outputs=outputs), True
    return Numbers(done, outputs, planned_numbers.drift), None if all_done else False


def _prove_not_applied(plan: Plan, facts: HookFacts) -> bool | None:
    """False for a plan with changes whose state has not been written since `before`; else None.

    A state that was written proves nothing: a failed apply writes it too.
    """
    state = facts.state_after
    after = state.identity if state else None
    return False if has_changes(plan) and after and after == facts.identity_before else None
