"""Determines what is reported of a run, from its facts: outcome and numbers, each exact or absent.

`active` and `inactive` schedule automatic destruction at Harness, so neither is ever guessed.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from tfevents.events.model import Numbers, Operation, Outcome
from tfevents.reporting.facts import RunFacts
from tfevents.terraform import changes
from tfevents.terraform.arguments import PARTS, UNREFRESHED, Mode
from tfevents.terraform.counts import (
    Counts,
    count_listed_drift,
    count_measured_drift,
    count_outputs,
    count_resources,
    find_unknown_actions,
    has_changes,
)
from tfevents.terraform.plan import Plan
from tfevents.terraform.state import State

APPLIES = (Operation.APPLY, Operation.DESTROY)


class RunOutcome(Struct, frozen=True):
    """What is reported of a run. `outcome`: None if it is not known. `numbers`: the counts. `data`:
    facts for which the contract has no field."""

    outcome: Outcome | None
    numbers: Numbers = field(default_factory=Numbers)
    data: dict[str, str | None] = {}


def determine_outcome(facts: RunFacts) -> RunOutcome:
    """The outcome, the numbers and the data of a run that is over."""
    outcome = _make_outcome(facts)
    numbers = _find_numbers(facts, outcome) if outcome else Numbers()
    return RunOutcome(
        outcome,
        replace(numbers, resources=None) if _find_unknown_actions(facts.plan) else numbers,
        _make_data(facts, outcome, numbers),
    )


def _make_outcome(facts: RunFacts) -> Outcome | None:
    plan = facts.plan
    if facts.operation is not Operation.PLAN and _may_be_declined(facts):
        return None
    drift = count_listed_drift(plan.drift or ()) if plan else Counts()
    return Outcome(
        operation=facts.operation,
        mode=facts.mode,
        success=facts.succeeded,
        declined=facts.approval is not None,
        has_changes=has_changes(plan) if plan else _has_unread_changes(facts),
        drift=drift != Counts() if plan else None,
        empty=facts.state_is_empty,
    )


def _has_unread_changes(facts: RunFacts) -> bool | None:
    """Whether a plan that can't be read has something to apply, by its log or `-detailed-exitcode`;
    None if neither shows it. The log has no outputs, so a log without changes proves nothing."""
    logged = _count_logged_plan(facts)
    if logged is not None and replace(logged, unchanged=0) != Counts():
        return True
    detailed = facts.succeeded and facts.arguments.on("detailed-exitcode")
    return facts.exit_code == 2 if detailed else None


def _may_be_declined(facts: RunFacts) -> bool:
    """Whether it is unknown why the run failed: it asked for approval, has no core log, and did
    not write the state as far as is known, so that it may have been declined."""
    if facts.approved is not None or facts.log or not facts.started:
        return False
    written = _identity(facts.before) != _identity(facts.stored_state)
    return facts.exit_code != 0 and (
        facts.before is None or facts.stored_state is None or not written
    )


def _identity(state: State | None) -> object:
    return state.identity if state else None


def _find_numbers(facts: RunFacts, outcome: Outcome) -> Numbers:
    if facts.operation is Operation.IMPORT:
        return _count_import(facts)
    if facts.operation is Operation.PLAN:
        return _count_plan(facts, facts.plan) if facts.plan else Numbers(_count_logged_plan(facts))
    if facts.log is not None:
        return _count_apply(facts)
    return _count_saved_plan(facts, facts.plan) if facts.plan and outcome.success else Numbers()


def _count_plan(facts: RunFacts, plan: Plan) -> Numbers:
    reasons = facts.partial_reasons
    return count_plan(
        plan,
        saved=bool(facts.arguments.plan_file) and facts.mode is not Mode.REFRESH_ONLY,
        partial=bool(PARTS.intersection(reasons)),
        refreshed=UNREFRESHED not in reasons,
    )


def count_plan(plan: Plan, *, saved: bool, partial: bool, refreshed: bool = True) -> Numbers:
    """The plan's own counts. `saved`: an earlier run made the plan. `partial`: it is a plan of some
    resources only. `refreshed`: False for a plan with -refresh=false, which measures no drift."""
    drift = count_measured_drift(plan, saved=saved) if refreshed else None
    return Numbers(count_resources(plan, partial=partial), count_outputs(plan), drift)


def _count_import(facts: RunFacts) -> Numbers:
    """The counts of an import: imported objects are in the state after it and not before it."""
    if facts.after is None or facts.before is None:
        return Numbers()
    before, after = facts.before.objects.keys(), facts.after.objects.keys()
    return Numbers(Counts(imported=len(after - before), unchanged=len(after & before)))


def _count_apply(facts: RunFacts) -> Numbers:
    """The counts of an apply with a core log: what was done, or, if the user did not approve, what
    would have been done."""
    log, apply = facts.log, facts.apply
    if log is not None and facts.approval is not None and facts.mode is not Mode.REFRESH_ONLY:
        return Numbers(changes.count_logged_plan(log))
    if apply is None:
        return Numbers()
    plan = facts.plan
    drift = _count_plan(facts, plan).drift if plan else changes.count_drift_between_states(apply)
    return Numbers(changes.count_resources(apply), changes.count_outputs(apply), drift)


def _count_saved_plan(facts: RunFacts, plan: Plan) -> Numbers:
    """The counts of a saved plan that was applied without a core log: what was planned was done.
    None for numbers that depend on values that were unknown in the plan."""
    has_unknown_resources = any(change.managed and change.unknown for change in plan.kinds)
    has_unknown_outputs = any(o.unknown and "update" in o.actions for o in plan.outputs.values())
    planned = _count_plan(facts, plan)
    return Numbers(
        None if has_unknown_resources else planned.resources,
        None if has_unknown_outputs else planned.outputs,
        planned.drift,
    )


def _make_data(facts: RunFacts, outcome: Outcome | None, numbers: Numbers) -> dict[str, str | None]:
    """The event's `data`: facts for which the contract has no field."""
    counted = numbers.resources is not None and not _find_unknown_actions(facts.plan)
    failed = outcome is not None and not outcome.success
    return {
        "counts": "exact" if counted else "absent",
        "partial": ",".join(facts.partial_reasons),
        "approval": facts.approval.value if facts.approval else None,
        "interrupted": _find_signal_name(facts),
        "drift_listed": _find_listed_drift(facts.plan),
        "unknown_actions": ",".join(sorted(_find_unknown_actions(facts.plan))),
        **(dict(_describe_failed_apply(facts)) if failed and facts.operation in APPLIES else {}),
    }


def _describe_failed_apply(facts: RunFacts) -> Iterator[tuple[str, str]]:
    """Of a failed apply: what was planned, and how many objects the run left tainted."""
    plan = facts.plan
    planned = _count_plan(facts, plan).resources if plan else _count_logged_plan(facts)
    if planned is not None:
        yield from ((f"planned_{name}", str(number)) for name, number in planned.as_json().items())
    apply = facts.apply
    if apply is not None and apply.countable and apply.after is not None:
        yield "tainted", str(changes.count_tainted(apply))


def _count_logged_plan(facts: RunFacts) -> Counts | None:
    """What was planned, by the core log; None if the log may be incomplete or have other runs."""
    if facts.operation is Operation.PLAN:
        sure = facts.log_has_whole_plan
    else:
        sure = facts.apply is not None and facts.apply.countable
    return changes.count_logged_plan(facts.log) if facts.log and sure else None


def _find_signal_name(facts: RunFacts) -> str | None:
    """The name of the first signal received, else of the one terraform died of; None without
    a signal. Most real-time signals have no name: `SIG35`."""
    received = facts.signals or ((-facts.exit_code,) if facts.exit_code < 0 else ())
    if not received:
        return None
    try:
        return signal.Signals(received[0]).name
    except ValueError:
        return f"SIG{received[0]}"


def _find_listed_drift(plan: Plan | None) -> str | None:
    """How many drifted objects terraform's JSON lists; None if it equals the drift that is counted,
    which leaves out noise."""
    listed = len(plan.drift or ()) if plan else 0
    counted = count_listed_drift(plan.drift or ()) if plan else Counts()
    return str(listed) if listed != counted.changed + counted.deleted else None


def _find_unknown_actions(plan: Plan | None) -> frozenset[str]:
    return find_unknown_actions(plan) if plan else frozenset()
