"""A run that is over: everything found out about it, and how far each of that can be trusted."""

from __future__ import annotations

from tfevents.approval import Approval
from tfevents.engine import Version
from tfevents.event import Operation, operation_of
from tfevents.facts import Planned
from tfevents.invocation import STATE, TARGETS, Invocation
from tfevents.lean import cached_property
from tfevents.plan import Mode, Plan
from tfevents.reconcile import Ledger
from tfevents.record import dataclass
from tfevents.state import NEVER_WRITTEN, State, literal

TYPE_CHECKING = False
if TYPE_CHECKING:
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
        pulled = self.pulled
        return self.needs_values or pulled is None or pulled.serial is None

    @property
    def needs_values(self) -> bool:
        """Whether what was done has to be told by the values of the state after."""
        plan = self.plan
        unknown = plan is not None and any(change.unknown for change in plan.kinds)
        return self.exit_code != 0 or unknown or self.stream is not None

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
        if state is None or elsewhere or self.unsaved or (self._broken and self._saves_late):
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
        stay = any(c.managed and not c.deposed and not _leaves(c.actions) for c in plan.kinds)
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
        local = self.planned is not None and self.planned.backend == "local"
        return self._broken and not (local and not self._saves_late)

    @property
    def _broken(self) -> bool:
        """Killed, or told twice to end, which no tool waits at."""
        return self.exit_code < 0 or len(self.signals) > 1


def _leaves_nothing(plan: Plan, prior: State) -> bool:
    """Whether a plan of a part takes the rest of the state as well."""
    leaving = {(literal(c.address), c.deposed) for c in plan.changes if _leaves(c.actions)}
    deleted = {name for name, output in plan.outputs.items() if "delete" in output.actions}
    return not (prior.objects.keys() - leaving or prior.outputs.keys() - deleted)


def _leaves(actions: frozenset[str]) -> bool:
    return actions <= {"delete", "forget"}
