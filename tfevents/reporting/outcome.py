"""What is told of a run that is over: from its facts to outcome and numbers, each exact or absent.

`active` and `inactive` schedule automatic destruction at Harness: neither is ever guessed.
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
    foreign_actions,
    has_changes,
)
from tfevents.terraform.plan import Plan
from tfevents.terraform.state import State

APPLIES = (Operation.APPLY, Operation.DESTROY)


class RunOutcome(Struct, frozen=True):
    """What is told: the outcome (None where nothing can be claimed), the numbers, the rest."""

    outcome: Outcome | None
    numbers: Numbers = field(default_factory=Numbers)
    data: dict[str, str | None] = {}


def determine_outcome(facts: RunFacts) -> RunOutcome:
    """What is told of a run."""
    outcome = _outcome(facts)
    numbers = _numbers(facts, outcome) if outcome else Numbers()
    return RunOutcome(
        outcome,
        replace(numbers, resources=None) if _find_foreign_actions(facts.plan) else numbers,
        _data(facts, outcome, numbers),
    )


def _outcome(facts: RunFacts) -> Outcome | None:
    plan, code = facts.plan, facts.exit_code
    if facts.operation is not Operation.PLAN and _is_unknown(facts):
        return None
    drift = count_listed_drift(plan.drift or ()) if plan else Counts()
    return Outcome(
        operation=facts.operation,
        mode=facts.mode,
        success=code in (0, 2) if facts.operation is Operation.PLAN else facts.succeeded,
        declined=facts.approval is not None,
        has_changes=has_changes(plan) if plan else _has_unread_changes(facts),
        drift=drift != Counts() if plan else None,
        empty=facts.state_is_empty,
    )


def _has_unread_changes(facts: RunFacts) -> bool | None:
    """Whether a plan that can't be read has something to apply, by its log or `-detailed-exitcode`;
    None where neither says. The log has no outputs: without changes in it there may be some."""
    logged = _count_logged_plan(facts)
    if logged is not None and replace(logged, unchanged=0) != Counts():
        return True
    detailed = facts.exit_code == 0 and facts.arguments.on("detailed-exitcode")
    return True if facts.exit_code == 2 else False if detailed else None


def _is_unknown(facts: RunFacts) -> bool:
    """Whether terraform asked by itself and ended badly, and there is no telling why: declined,
    unless the state was written."""
    if facts.approved is not None or facts.log or not facts.started:
        return False
    written = _identity(facts.before) != _identity(facts.pulled)
    return facts.exit_code != 0 and (facts.before is None or facts.pulled is None or not written)


def _identity(state: State | None) -> object:
    return state.identity if state else None


def _numbers(facts: RunFacts, outcome: Outcome) -> Numbers:
    if facts.operation is Operation.IMPORT:
        return _count_import(facts)
    if facts.operation is Operation.PLAN:
        return _count_plan(facts, facts.plan) if facts.plan else Numbers(_count_logged_plan(facts))
    if facts.log is not None:
        return _count_apply(facts)
    return _count_saved_plan(facts, facts.plan) if facts.plan and outcome.success else Numbers()


def _count_plan(facts: RunFacts, plan: Plan) -> Numbers:
    return Numbers(
        _count_planned_resources(facts, plan), count_outputs(plan), _count_drift(facts, plan)
    )


def _count_planned_resources(facts: RunFacts, plan: Plan) -> Counts | None:
    return count_resources(plan, partial=bool(PARTS.intersection(facts.partial)))


def _count_import(facts: RunFacts) -> Numbers:
    """An import's, told by the objects that are there now and were not."""
    if facts.after is None or facts.before is None:
        return Numbers()
    was, now = facts.before.objects.keys(), facts.after.objects.keys()
    return Numbers(Counts(imported=len(now - was), unchanged=len(now & was)))


def _count_apply(facts: RunFacts) -> Numbers:
    """By terraform's own log: what was done, or what it would have done where it was declined."""
    log, apply = facts.log, facts.apply
    if log is not None and facts.approval is not None and facts.mode is not Mode.REFRESH_ONLY:
        return Numbers(changes.count_planned(log))
    if apply is None:
        return Numbers()
    plan = facts.plan
    drift = _count_drift(facts, plan) if plan else changes.count_drift_between_states(apply)
    return Numbers(changes.count_resources(apply), changes.count_outputs(apply), drift)


def _count_saved_plan(facts: RunFacts, plan: Plan) -> Numbers:
    """A saved plan that was applied without a log: what was planned was done, but for what was not
    known when it was planned."""
    open_ends = any(change.managed and change.unknown for change in plan.kinds)
    unknown = any(o.unknown and "update" in o.actions for o in plan.outputs.values())
    return Numbers(
        None if open_ends else _count_planned_resources(facts, plan),
        None if unknown else count_outputs(plan),
        _count_drift(facts, plan),
    )


def _count_drift(facts: RunFacts, plan: Plan) -> Counts | None:
    """None where it was not measured: under -refresh=false too."""
    if UNREFRESHED in facts.partial:
        return None
    saved = bool(facts.arguments.plan_file) and facts.mode is not Mode.REFRESH_ONLY
    return count_measured_drift(plan, saved=saved)


def _data(facts: RunFacts, outcome: Outcome | None, numbers: Numbers) -> dict[str, str | None]:
    """What the contract has no field for."""
    counted = numbers.resources is not None and not _find_foreign_actions(facts.plan)
    failed = outcome is not None and not outcome.success
    return {
        "counts": "exact" if counted else "absent",
        "partial": ",".join(facts.partial),
        "approval": facts.approval.value if facts.approval else None,
        "interrupted": _interrupted(facts),
        "drift_listed": _drift_listed(facts.plan),
        "unknown_actions": ",".join(sorted(_find_foreign_actions(facts.plan))),
        **(dict(_describe_failed_apply(facts)) if failed and facts.operation in APPLIES else {}),
    }


def _describe_failed_apply(facts: RunFacts) -> Iterator[tuple[str, str]]:
    """Of a failed apply: what was planned, and how many objects it left tainted."""
    planned = (
        _count_planned_resources(facts, facts.plan) if facts.plan else _count_logged_plan(facts)
    )
    if planned is not None:
        yield from ((f"planned_{name}", str(number)) for name, number in planned.as_json().items())
    apply = facts.apply
    if apply is not None and apply.countable and apply.after is not None:
        yield "tainted", str(changes.count_tainted(apply))


def _count_logged_plan(facts: RunFacts) -> Counts | None:
    """What the log says was planned; None where not all of that is known to be this run's."""
    if facts.operation is Operation.PLAN:
        sure = facts.planned_once
    else:
        sure = facts.apply is not None and facts.apply.countable
    return changes.count_planned(facts.log) if facts.log and sure else None


def _interrupted(facts: RunFacts) -> str | None:
    """The first signal that came, or the one it died of."""
    received = facts.signals or ((-facts.exit_code,) if facts.exit_code < 0 else ())
    if not received:
        return None
    return signal.Signals(received[0]).name


def _drift_listed(plan: Plan | None) -> str | None:
    """How many terraform's JSON lists, where noise was left out of the count."""
    listed = len(plan.drift or ()) if plan else 0
    counted = count_listed_drift(plan.drift or ()) if plan else Counts()
    return str(listed) if listed != counted.changed + counted.deleted else None


def _find_foreign_actions(plan: Plan | None) -> frozenset[str]:
    return foreign_actions(plan) if plan else frozenset()
