"""What a plan and the states before and after prove of a run that nobody of us watched.

What nobody said and nothing proves stays absent.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from tfevents.events.model import Activity, Numbers, Operation, Outcome
from tfevents.events.table import activity_type, end_activity, start_activity
from tfevents.reporting.plan_and_state import SavedPlan
from tfevents.terraform.arguments import Mode
from tfevents.terraform.counts import (
    Counts,
    count_drift,
    count_outputs,
    count_resources,
    has_changes,
)
from tfevents.terraform.plan import Plan
from tfevents.terraform.reconcile import Ledger, done_to_outputs, done_to_resources
from tfevents.terraform.state import State


class HookFacts(Struct, frozen=True):
    """What is known when the run is over.

    `said`: the outcome by word (exit code, host). `noted`: the plan's numbers as `before` read
    them, for a host that has deleted the plan since. `before`: the state's (serial, lineage).
    `targeted`: whether a flag says that the plan is of a part.
    """

    operation: Operation
    mode: Mode
    said: bool | None = None
    planned: SavedPlan | None = None
    noted: Numbers | None = None
    before: tuple[int | None, str | None] | None = None
    after: State | None = None
    changes_by_code: bool = False
    refreshed: bool = True
    targeted: bool = False


class HookOutcome(Struct, frozen=True):
    """What is told; None where nothing can be claimed. `proven`: the outcome, None where nobody
    knows. `missing`: what had to be seen to tell more than that."""

    activity: Activity | None
    numbers: Numbers
    proven: bool | None
    missing: str | None = None


def determine_hook_outcome(evidence: HookFacts) -> HookOutcome:
    """The outcome by word before the outcome by proof; the numbers of what was done."""
    plan = evidence.planned.plan if evidence.planned else None
    numbers, proven = _weigh(evidence, plan)
    success = evidence.said if evidence.said is not None else proven
    outcome = Outcome(
        operation=evidence.operation,
        mode=evidence.mode,
        success=success is not False,
        has_changes=has_changes(plan) if plan else evidence.changes_by_code or None,
        drift=numbers.drift != Counts() if numbers.drift else None,
        empty=evidence.after.empty if evidence.after else None,
    )
    activity = end_activity(outcome) if success is not None else None
    missing = _missing(evidence) if success else None
    return HookOutcome(activity or _begun(evidence, success), numbers, success, missing)


def _begun(evidence: HookFacts, success: bool | None) -> Activity | None:
    """The last that is known: an apply was begun. An outcome that nobody knows is left out, and a
    workspace is never called active: Harness schedules its destruction from that. Of a plan that
    nobody saw nothing is: `plan` would say that there is nothing to apply.
    """
    kind = activity_type(evidence.operation, evidence.mode)
    status = "success" if success else None
    if evidence.operation is Operation.PLAN:
        return None
    return Activity(start_activity(evidence.operation).event_type, kind, status)


def _missing(evidence: HookFacts) -> str | None:
    """A plan that nobody saw, or a state: whether it holds something is not claimed then."""
    if evidence.operation is Operation.PLAN:
        return None if evidence.planned else "plan"
    unseen = evidence.after is None and evidence.operation is not Operation.IMPORT
    return "state" if unseen else None


def _weigh(evidence: HookFacts, plan: Plan | None) -> tuple[Numbers, bool | None]:
    """The numbers, and the outcome that they prove."""
    if plan is None:
        return (evidence.noted or Numbers()) if evidence.said else Numbers(), None
    targeted = evidence.planned is not None and evidence.planned.targeted
    saved = evidence.operation is not Operation.PLAN
    planned = planned_numbers(plan, saved=saved, targeted=targeted or evidence.targeted)
    if evidence.operation is Operation.PLAN:
        return planned if evidence.refreshed else replace(planned, drift=None), not plan.errored
    prior = evidence.planned.prior if evidence.planned else None
    if prior is None or evidence.after is None:
        return (planned if evidence.said else Numbers()), _untouched(plan, evidence)
    done = done_to_resources(plan, Ledger.of(prior, evidence.after))
    whole = done == planned.resources
    did = whole and done is not None and done.planned > 0
    finished = evidence.said or (evidence.said is None and did)
    outputs = done_to_outputs(plan, evidence.after, finished=bool(finished))
    if finished:
        return replace(planned, outputs=outputs), True
    return Numbers(done, outputs, planned.drift), None if whole else False


def planned_numbers(plan: Plan, *, saved: bool, targeted: bool) -> Numbers:
    """The plan's own. Drift is absent where it was not measured: by a destroy, by a plan that
    broke off; and of a saved plan that lists none, which does not say whether it looked."""
    looked = plan.mode is Mode.REFRESH_ONLY or not saved
    silent = plan.drift is None and (plan.errored or not looked)
    unmeasured = plan.mode is Mode.DESTROY or silent
    drift = None if unmeasured else count_drift(plan.drift or ())
    resources = count_resources(plan, partial=targeted)
    return Numbers(resources, count_outputs(plan), drift)


def _untouched(plan: Plan, evidence: HookFacts) -> bool | None:
    """A plan with changes, and a state that nobody wrote since: it was not applied. That it was
    written proves nothing: a failed apply writes it too."""
    after = (evidence.after.serial, evidence.after.lineage) if evidence.after else None
    return False if has_changes(plan) and after and after == evidence.before else None
