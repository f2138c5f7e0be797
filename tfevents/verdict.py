"""What is told of a run that is over: from its facts to outcome and numbers, each exact or absent.

`active` and `inactive` schedule automatic destruction at Harness: neither is ever guessed.
"""

from __future__ import annotations

from collections.abc import Iterator

from tfevents.aftermath import Facts
from tfevents.counts import (
    Counts,
    count_drift,
    count_outputs,
    count_resources,
    foreign_actions,
    has_changes,
)
from tfevents.event import Numbers, Operation, Outcome
from tfevents.plan import Mode, Plan
from tfevents.reconcile import (
    carried_out,
    count_tainted,
    done_to_outputs,
    done_to_resources,
    provable,
)
from tfevents.record import dataclass, field, replace
from tfevents.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tfevents.stream import Stream


@dataclass(frozen=True)
class Verdict:
    """What is told: the outcome (None where nothing can be claimed), the numbers, the rest."""

    outcome: Outcome | None
    numbers: Numbers = field(default_factory=Numbers)
    data: dict[str, str | None] = field(default_factory=dict)


def reach(facts: Facts) -> Verdict:
    """The verdict on a run."""
    outcome = _outcome(facts)
    numbers = _numbers(facts, outcome) if outcome else Numbers()
    return Verdict(
        outcome,
        replace(numbers, resources=None) if _foreign(facts.plan) else numbers,
        _data(facts, outcome, numbers),
    )


def _outcome(facts: Facts) -> Outcome | None:
    plan, told, code = facts.plan, facts.stream, facts.exit_code
    if facts.operation is not Operation.PLAN and _unclaimed(facts):
        return None
    drift = count_drift(plan.drift or ()) if plan else Counts()
    return Outcome(
        operation=facts.operation,
        mode=facts.mode,
        success=_succeeded(facts),
        declined=facts.declined,
        has_changes=has_changes(plan) if plan else told.has_changes if told else code == 2,
        drift=drift != Counts(),
        empty=facts.empty,
    )


def _unclaimed(facts: Facts) -> bool:
    """Whether terraform asked by itself and ended badly, and there is no telling why: declined,
    unless the state was written."""
    if facts.approved is not None or facts.stream or facts.planning or facts.declined:
        return False
    written = _identity(facts.before) != _identity(facts.pulled)
    return facts.exit_code != 0 and (facts.before is None or facts.pulled is None or not written)


def _identity(state: State | None) -> object:
    return state.identity if state else None


def _succeeded(facts: Facts) -> bool:
    """By the exit code; one 1 of OpenTofu's is no failure (semantics §1.2)."""
    if facts.operation is Operation.PLAN:
        return facts.exit_code in (0, 2)
    if facts.stream is not None and facts.stream.forgot:
        return True
    return facts.exit_code == 0 or _only_forgot(facts)


def _only_forgot(facts: Facts) -> bool:
    """OpenTofu's 1 after a destroy that did everything and forgot something, told by the state."""
    plan, version = facts.plan, facts.version
    tofu = version is not None and version.product == "OpenTofu"
    if not tofu or facts.mode is not Mode.DESTROY or plan is None or facts.ledger is None:
        return False
    planned = count_resources(plan)
    return planned.removed > 0 and done_to_resources(plan, facts.ledger) == planned


def _numbers(facts: Facts, outcome: Outcome) -> Numbers:
    if facts.operation is Operation.IMPORT:
        return _gained(facts)
    if facts.stream is not None:
        return _told(facts, facts.stream)
    plan = facts.plan
    if plan is None or facts.planning:
        return Numbers()
    if facts.operation is Operation.PLAN or facts.declined:
        return Numbers(count_resources(plan), count_outputs(plan), _drift(facts, plan))
    done = _done(facts, plan) if facts.exit_code == 0 else _reconciled(facts, plan)
    return replace(done, drift=_drift(facts, plan))


def _gained(facts: Facts) -> Numbers:
    """An import's, told by the objects that are there now and were not."""
    if facts.after is None or facts.before is None:
        return Numbers()
    was, now = facts.before.objects.keys(), facts.after.objects.keys()
    return Numbers(Counts(imported=len(now - was), unchanged=len(now & was)))


def _told(facts: Facts, told: Stream) -> Numbers:
    """By OpenTofu's own account; what was to stay is told by the state alone."""
    after, whole = facts.after, facts.whole
    if after is None or not (told.applied or told.approval):
        return Numbers()
    if told.approval:
        return Numbers(told.planned_counts(after, whole=whole))
    return Numbers(told.done(after, whole=whole), told.output_counts(facts.before, after))


def _done(facts: Facts, plan: Plan) -> Numbers:
    """What was planned was done, but for what turned out to be the same."""
    if facts.after is not None:
        outputs: Counts | None = done_to_outputs(plan, facts.after, finished=True)
    else:
        unknown = any(o.unknown and "update" in o.actions for o in plan.outputs.values())
        outputs = None if unknown else count_outputs(plan)
    return Numbers(carried_out(plan, facts.ledger), outputs)


def _reconciled(facts: Facts, plan: Plan) -> Numbers:
    """What was really done, held against the state; or nothing, where that can't be told."""
    ledger = facts.ledger
    if ledger is None or not provable(plan, ledger):
        return Numbers()
    outputs = done_to_outputs(plan, ledger.after, finished=False)
    return Numbers(done_to_resources(plan, ledger), outputs)


def _drift(facts: Facts, plan: Plan) -> Counts | None:
    """Not measured under -refresh=false, -destroy, or where the plan broke off; nor known of a
    saved plan that lists none, for it does not say whether it looked."""
    if plan.mode is Mode.DESTROY or "refresh=false" in facts.partial:
        return None
    looked = facts.mode is Mode.REFRESH_ONLY or not facts.invocation.plan_file
    if plan.drift is None and (plan.errored or not looked):
        return None
    return count_drift(plan.drift or ())


def _data(facts: Facts, outcome: Outcome | None, numbers: Numbers) -> dict[str, str | None]:
    """What the contract has no field for."""
    counted = numbers.resources is not None and not _foreign(facts.plan)
    failed = outcome is not None and not outcome.success
    return {
        "counts": "exact" if counted else "absent",
        "partial": ",".join(facts.partial),
        "approval": facts.asked.value if facts.asked and facts.declined else None,
        "interrupted": _interrupted(facts),
        "drift_listed": _drift_listed(facts.plan),
        "unknown_actions": ",".join(sorted(_foreign(facts.plan))),
        **(dict(_undone(facts)) if failed and not facts.planning else {}),
    }


def _undone(facts: Facts) -> Iterator[tuple[str, str]]:
    """Of a failed apply: what was planned, and how many objects it left tainted."""
    plan, told = facts.plan, facts.stream
    if facts.operation in (Operation.PLAN, Operation.IMPORT):
        return
    if plan is not None:
        planned = count_resources(plan).as_json()
        yield from ((f"planned_{name}", str(number)) for name, number in planned.items())
        if facts.ledger is not None:
            yield "tainted", str(count_tainted(plan, facts.ledger))
    if told is not None and told.applied:
        planned = told.planned_counts(State(), whole=True).as_json()
        del planned["unchanged"]
        yield from ((f"planned_{name}", str(number)) for name, number in planned.items())
        if facts.after is not None:
            yield "tainted", str(told.tainted(facts.after))


def _interrupted(facts: Facts) -> str | None:
    """The first signal that came, or the one it died of."""
    received = facts.signals or ((-facts.exit_code,) if facts.exit_code < 0 else ())
    if not received:
        return None
    import signal  # its enums are slow to wake

    return signal.Signals(received[0]).name


def _drift_listed(plan: Plan | None) -> str | None:
    """How many terraform's JSON lists, where noise was left out of the count."""
    listed = len(plan.drift or ()) if plan else 0
    counted = count_drift(plan.drift or ()) if plan else Counts()
    return str(listed) if listed != counted.changed + counted.deleted else None


def _foreign(plan: Plan | None) -> frozenset[str]:
    return foreign_actions(plan) if plan else frozenset()
