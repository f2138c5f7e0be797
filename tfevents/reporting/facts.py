"""A run that is over: everything found out about it, and how far each of that can be trusted."""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from tfevents.events.model import Approval, Operation
from tfevents.events.table import operation_of
from tfevents.reporting.saved_plan import SavedPlan
from tfevents.terraform.apply_log import ApplyLog
from tfevents.terraform.arguments import STATE, UNREFRESHED, Arguments, Mode
from tfevents.terraform.changes import Apply
from tfevents.terraform.client import Version
from tfevents.terraform.plan import Plan
from tfevents.terraform.state import NEVER_WRITTEN, State


class RunFacts(Struct, frozen=True, dict=True):
    """Everything found out about a run that is over; None is not known.

    `exit_code`: negative for the signal it died of. `started`: whether terraform ran at all.
    `approved`: True where nobody was to be asked. `signals`: what reached us meanwhile. `log`: the
    core log of an apply, or of a plan that is not saved. `before`: the state when it began, without
    a log maybe without its objects. `pulled`: what was stored when it was over. `unsaved`:
    terraform could not store what it had done.
    """

    arguments: Arguments
    exit_code: int
    started: bool = True
    mode: Mode = Mode.NORMAL
    approved: bool | None = None
    signals: tuple[int, ...] = ()
    planned: SavedPlan | None = None
    log: ApplyLog | None = None
    before: State | None = None
    pulled: State | None = None
    unsaved: bool = False
    version: Version | None = None

    @cached_property
    def plan(self) -> Plan | None:
        """The plan, from whichever reader. That it broke off, Terraform 1.5 does not note in it."""
        plan = self.planned.plan if self.planned else None
        broke_off = self.arguments.command == "plan" and self.exit_code not in (0, 2)
        return replace(plan, errored=True) if plan and broke_off else plan

    @property
    def operation(self) -> Operation:
        """What it set out to do."""
        return operation_of(self.arguments.command, self.mode)

    @property
    def approval(self) -> Approval | None:
        """How the question ended, where it was asked and not told yes."""
        log = self.log
        if log is None or not log.asked or log.applied:
            return None
        if self.signals or log.stopping or self.exit_code < 0:
            return Approval.INTERRUPTED
        return Approval.EOF if log.input_ended else Approval.DECLINED

    @property
    def planning(self) -> bool:
        """Whether it is known that it did not get beyond the plan, and was not declined either."""
        if not self.started:
            return True
        log = self.log
        return log is not None and self.exit_code != 0 and not (log.asked or log.applied)

    @property
    def planned_once(self) -> bool:
        """Whether the log of a plan tells all of it, and of nothing else: one that went well."""
        log = self.log
        if log is None or self.exit_code not in (0, 2) or self.mode is Mode.REFRESH_ONLY:
            return False
        return log.processes == log.plans == 1 and not log.gaps

    @property
    def touches_state(self) -> bool:
        """Whether the state is worth a look: the run may have written it, or is judged by it."""
        undone = self.planning or self.approval is not None
        return not (self.arguments.command == "plan" or undone)

    @property
    def partial(self) -> tuple[str, ...]:
        """What makes the plan less than the whole; a saved plan's is in its file, for it ignores
        the flags of its apply."""
        plan = self.plan
        kinds = () if self.arguments.plan_file else self.arguments.partial
        if not kinds and self._targeted:
            kinds = ("target",)
        if plan and plan.errored:
            kinds = (*kinds, "errored")
        return kinds or (("incomplete",) if plan and plan.complete is False else ())

    @property
    def _targeted(self) -> bool:
        return self.planned is not None and self.planned.targeted

    @cached_property
    def apply(self) -> Apply | None:
        """What was done, by its log; None of a run without one, or that did not get to it."""
        return self._apply_to(self.after)

    def _apply_to(self, after: State | None) -> Apply | None:
        if self.log is None or not self.log.applied:
            return None
        return Apply(
            log=self.log,
            before=self.before,
            after=after,
            mode=self.mode,
            plan=self.plan,
            finished=self.succeeded,
            interrupted=self._ended_abruptly,
            refreshed=self.arguments.on("refresh", default=True),
            complete=not set(self.partial) - {UNREFRESHED},
        )

    @property
    def succeeded(self) -> bool:
        """Whether everything was done, by the exit code; one 1 of OpenTofu's is no failure: after a
        destroy that forgot something."""
        if self.exit_code == 0:
            return True
        log, version = self.log, self.version
        tofu = version is not None and version.product == "OpenTofu"
        if log is None or self.exit_code != 1 or not tofu or self.mode is not Mode.DESTROY:
            return False
        return bool(log.forgets) and not (log.failures or log.stopping or self.unsaved)

    @cached_property
    def after(self) -> State | None:
        """The state after, where it can be trusted to be this run's.

        An empty answer is one only where nothing can have been stored: terraform stores a state
        even where it holds nothing. OpenTofu saves at the end: after a kill it proves nothing.
        """
        state, elsewhere = self.pulled, self.arguments.names() & STATE
        if (
            state is None
            or elsewhere
            or self.unsaved
            or (self._ended_abruptly and self._saves_late)
        ):
            return None
        return state if state.identity != NEVER_WRITTEN or self._stored_nothing else None

    @property
    def _saves_late(self) -> bool:
        """Seen in OpenTofu 1.13 and not in 1.6; what lies between is not trusted."""
        version = self.version
        return version is None or (version.product == "OpenTofu" and version.least(1, 7))

    @property
    def _stored_nothing(self) -> bool:
        acted = self.log.acts if self.log is not None else self.exit_code == 0
        never = self.before is not None and self.before.identity == NEVER_WRITTEN
        return (never and not acted) or self.left_nothing is True

    @property
    def left_nothing(self) -> bool | None:
        """Whether a run that ended well has left nothing, by what it did or was to do."""
        if self.exit_code != 0 or self.approval is not None:
            return None
        begun = self._apply_to(None)  # `after` is judged by this
        if begun is not None and begun.leaves_something:
            return False
        if self.plan is not None:
            return self._left_nothing_by_plan(self.plan)
        destroys = self.mode is Mode.DESTROY and not self.arguments.plan_file
        return True if destroys and not self.partial else None

    def _left_nothing_by_plan(self, plan: Plan) -> bool | None:
        stay = any(c.managed and not c.deposed and not _leaves(c.actions) for c in plan.kinds)
        told = any("delete" not in o.actions and not o.null for o in plan.outputs.values())
        if stay or told or plan.managed:
            return False
        whole = not self.partial and (plan.complete or not self.arguments.plan_file)
        return True if whole else None

    @property
    def state_is_empty(self) -> bool | None:
        """Whether the state holds nothing now: by the state read after the run, else by what the
        run did; None if neither is known. It decides between `active` and `inactive`."""
        return self.after.empty if self.after is not None else self.left_nothing

    @property
    def _ended_abruptly(self) -> bool:
        """Killed, crashed, or told twice to end, which no tool waits at."""
        stopped = self.log is not None and self.log.broken
        return self.exit_code not in (0, 1, 2) or len(self.signals) > 1 or stopped


def _leaves(actions: frozenset[str]) -> bool:
    return actions <= {"delete", "forget"}
