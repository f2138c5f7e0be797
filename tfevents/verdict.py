"""What is told of a run that is over: from its facts to outcome and numbers, each exact or absent.

`active` and `inactive` schedule automatic destruction at Harness: neither is ever guessed.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from tfevents.approval import Approval
from tfevents.counts import (
    Counts,
    count_drift,
    count_outputs,
    count_resources,
    foreign_actions,
    has_changes,
)
from tfevents.engine import Version
from tfevents.event import Numbers, Operation, Outcome
from tfevents.facts import Planned
from tfevents.invocation import STATE, TARGETS, Invocation
from tfevents.plan import Mode, Plan
from tfevents.reconcile import (
    Ledger,
    carried_out,
    count_tainted,
    done_to_outputs,
    done_to_resources,
    provable,
)
from tfevents.scene import operation_of
from tfevents.state import NEVER_WRITTEN, State, literal
from tfevents.stream import Stream


@dataclass(frozen=True)
class Facts:
    """Everything found out about a run that is over; None is not known.

    `exit_code`: negative for the signal it died of. `approved`: None where terraform asked by
    itself. `planning`: it did not get beyond the plan. `signals`: what reached us meanwhile.
    `before`: the state when the apply began, maybe without its objects. `pulled`: what was stored
    when it was over. `unsaved`: terraform could not store what it had done.
    """

    invocation: Invocation
    exit_code: int
    mode: Mode = Mode.NORMAL
    approved: bool | None = None
    approval: Approval | None = None
    planning: bool = False
    signals: tuple[int, ...] = ()
    planned: Planned | None = None
    prior: State | None = None
    stream: Stream | None = None
    before: State | None = None
    pulled: State | None = None
    unsaved: bool = False
    version: Version | None = None

    @property
    def plan(self) -> Plan | None:
        """The plan, from whichever reader."""
        return self.planned.plan if self.planned else None

    @property
    def operation(self) -> Operation:
        """What it set out to do."""
        return operation_of(self.invocation.command, self.mode)

    @property
    def asked(self) -> Approval | None:
        """How the question ended, ours or the tool's own."""
        return self.approval or (self.stream.approval if self.stream else None)

    @property
    def declined(self) -> bool:
        """Whether it asked, and was not told yes."""
        return self.asked not in (None, Approval.APPROVED)

    @property
    def touches_state(self) -> bool:
        """Whether the state is worth a look: the run may have written it, or is judged by it."""
        if self.invocation.command == "plan" or self.planning:
            return False
        if self.stream is None:
            return not self.declined
        return self.exit_code == 0 or self.stream.applied or self.declined

    @property
    def needs_prior(self) -> bool:
        """Whether only the state that the plan was made on can tell what was done, or is left."""
        plan, pulled = self.plan, self.pulled
        unknown = bool(plan and any(change.unknown for change in plan.changes))
        return self.exit_code != 0 or unknown or pulled is None or pulled.serial is None

    @property
    def partial(self) -> tuple[str, ...]:
        """What makes the plan less than the whole; a saved plan's is in its file, for it ignores
        the flags of its apply (semantics §4.3)."""
        plan = self.plan
        kinds = () if self.invocation.plan_file else self.invocation.partial
        if not kinds and self.planned and self.planned.targeted:
            kinds = ("target",)
        if plan and plan.errored:
            kinds = (*kinds, "errored")
        return kinds or (("incomplete",) if plan and plan.complete is False else ())

    @property
    def whole(self) -> bool:
        """Whether every object was looked at."""
        return not self.invocation.names() & TARGETS

    @cached_property
    def after(self) -> State | None:
        """The state after, where it can be trusted to be this run's.

        An empty answer is one only where nothing can have been stored: terraform stores a state
        even where it holds nothing. OpenTofu saves at the end: after a kill it proves nothing.
        """
        state, elsewhere = self.pulled, self.invocation.names() & STATE
        if state is None or elsewhere or self.unsaved or (self.exit_code < 0 and self._saves_late):
            return None
        return state if state.identity != NEVER_WRITTEN or self._stored_nothing else None

    @property
    def _saves_late(self) -> bool:
        """Seen in OpenTofu 1.13 and not in 1.6; what lies between is not trusted."""
        version = self.version
        return version is None or (version.product == "OpenTofu" and version.least(1, 7))

    @property
    def _stored_nothing(self) -> bool:
        if self.exit_code == 0 and not self.declined:
            return self.emptied is True
        if self.stream is not None:
            return not self.stream.had_state
        prior = self.prior or self.before
        return prior is not None and prior.identity == NEVER_WRITTEN

    @property
    def emptied(self) -> bool | None:
        """Whether a run that ended well has left nothing, by what it was to do."""
        if self.exit_code != 0:
            return None
        if self.plan is not None:
            return self._emptied_by(self.plan)
        if self.stream is not None and self.stream.finished and self.stream.leaves_something:
            return False
        destroys = self.mode is Mode.DESTROY and not self.invocation.plan_file
        return True if destroys and not self.partial else None

    def _emptied_by(self, plan: Plan) -> bool | None:
        stay = any(c.managed and not c.deposed and not _leaves(c.actions) for c in plan.changes)
        told = any("delete" not in o.actions and not o.null for o in plan.outputs.values())
        if stay or told or plan.managed:
            return False
        if not self.partial and (plan.complete or not self.invocation.plan_file):
            return True
        return _leaves_nothing(plan, self.prior) if self.prior else None

    @property
    def empty(self) -> bool | None:
        """Whether the state holds nothing now: by itself, else by what was carried out."""
        return self.after.empty if self.after is not None else self.emptied

    @cached_property
    def ledger(self) -> Ledger | None:
        """The states before and after, where the difference is this run's and all of it."""
        if self.prior is None or self.after is None or self._torn:
            return None
        own = self.exit_code == 0 or self._own(self.prior, self.after)
        return Ledger.of(self.prior, self.after) if own else None

    def _own(self, prior: State, after: State) -> bool:
        """Whether nobody else wrote the state between plan and apply: terraform refuses a stale
        plan, and what the other one did is not this run's.

        A look that came late saw this run's own writing; then it went on to write more.
        """
        if self.before is None:
            return self.invocation.on("auto-approve") and not self.invocation.plan_file
        was = self.before.identity
        return was == prior.identity or was[0] < after.identity[0]

    @property
    def _torn(self) -> bool:
        """Whether it was broken off so hard that the last things done may not be stored: only
        Terraform's own file has each of them at once."""
        broken = self.exit_code < 0 or len(self.signals) > 1
        local = self.planned is not None and self.planned.backend == "local"
        return broken and not (local and not self._saves_late)


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
    return signal.Signals(received[0]).name if received else None


def _drift_listed(plan: Plan | None) -> str | None:
    """How many terraform's JSON lists, where noise was left out of the count."""
    listed = len(plan.drift or ()) if plan else 0
    counted = count_drift(plan.drift or ()) if plan else Counts()
    return str(listed) if listed != counted.changed + counted.deleted else None


def _foreign(plan: Plan | None) -> frozenset[str]:
    return foreign_actions(plan) if plan else frozenset()


def _leaves_nothing(plan: Plan, prior: State) -> bool:
    """Whether a plan of a part takes the rest of the state as well."""
    leaving = {(literal(c.address), c.deposed) for c in plan.changes if _leaves(c.actions)}
    deleted = {name for name, output in plan.outputs.items() if "delete" in output.actions}
    return not (prior.objects.keys() - leaving or prior.outputs.keys() - deleted)


def _leaves(actions: frozenset[str]) -> bool:
    return actions <= {"delete", "forget"}
