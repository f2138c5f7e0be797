"""All facts about a run that is over, and how far each of them can be trusted."""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from tfevents.events.model import Approval, Operation
from tfevents.events.table import find_operation
from tfevents.reporting.run import has_succeeded
from tfevents.reporting.saved_plan import SavedPlan
from tfevents.terraform.apply_log import ApplyLog
from tfevents.terraform.arguments import STATE, UNREFRESHED, Arguments, Mode
from tfevents.terraform.changes import Apply
from tfevents.terraform.client import Version
from tfevents.terraform.plan import Plan, list_partial_reasons
from tfevents.terraform.state import NEVER_WRITTEN, State


class RunFacts(Struct, frozen=True, dict=True):
    """All facts about a run that is over; None means not known.

    `exit_code`: negative for the signal terraform died of. `started`: whether terraform ran at all.
    `approved`: True if the run does not ask for approval. `signals`: those that we got during the
    run. `log`: the core log of an apply, or of a plan that is not saved. `before`: the state when
    the run began; without a log maybe without its objects. `stored_state`: the state that was
    stored when the run was over. `unsaved`: whether terraform could not store the state.
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
    stored_state: State | None = None
    unsaved: bool = False
    version: Version | None = None

    @cached_property
    def plan(self) -> Plan | None:
        """The plan, from either reader. A plan that failed is marked as errored by the exit code:
        Terraform 1.5 does not note that in the plan."""
        plan = self.planned.plan if self.planned else None
        has_failed = self.arguments.command == "plan" and not self.succeeded
        return replace(plan, errored=True) if plan and has_failed else plan

    @property
    def operation(self) -> Operation:
        """The operation of the run, by its command and mode."""
        return find_operation(self.arguments.command, self.mode)

    @property
    def approval(self) -> Approval | None:
        """How terraform's approval prompt ended; None if it was not shown or was approved."""
        log = self.log
        if log is None or not log.asked or log.applied:
            return None
        if self.signals or log.stopping or self.exit_code < 0:
            return Approval.INTERRUPTED
        return Approval.EOF if log.input_ended else Approval.DECLINED

    @property
    def failed_before_apply(self) -> bool:
        """Whether the run is known to have failed, or to have been stopped, before it asked for
        approval or applied."""
        if not self.started:
            return True
        log = self.log
        return log is not None and self.exit_code != 0 and not (log.asked or log.applied)

    @property
    def log_has_whole_plan(self) -> bool:
        """Whether the core log has all of a plan that succeeded and nothing else; False for a
        refresh-only plan."""
        log = self.log
        if log is None or not self.succeeded or self.mode is Mode.REFRESH_ONLY:
            return False
        return log.processes == log.plans == 1 and not log.gaps

    @property
    def needs_state(self) -> bool:
        """Whether the state after the run is needed: the run may have written the state, or its
        outcome depends on the state."""
        undone = self.failed_before_apply or self.approval is not None
        return not (self.arguments.command == "plan" or undone)

    @property
    def partial_reasons(self) -> tuple[str, ...]:
        """Why the plan does not cover everything: `target`, `exclude`, `refresh=false`, `errored`
        or `incomplete`. The flags of an apply count only if it plans by itself; with a saved plan
        terraform ignores them, so that the plan file is used."""
        flags = () if self.arguments.plan_file else self.arguments.partial_reasons
        targeted = self.planned is not None and self.planned.targeted
        return list_partial_reasons(self.plan, flags, targeted=targeted)

    @cached_property
    def apply(self) -> Apply | None:
        """What the run did, by its core log; None without a log, or if it did not get to apply."""
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
            succeeded=self.succeeded,
            ended_abruptly=self._ended_abruptly,
            refreshed=self.arguments.on("refresh", default=True),
            complete=not set(self.partial_reasons) - {UNREFRESHED},
        )

    @property
    def succeeded(self) -> bool:
        """Whether the run succeeded, by its exit code; but OpenTofu exits with 1 after a destroy
        that forgot objects, which is no failure if the core log has none."""
        if has_succeeded(self.arguments, self.exit_code, self.signals):
            return True
        log, version = self.log, self.version
        tofu = version is not None and version.product == "OpenTofu"
        if log is None or self.exit_code != 1 or not tofu or self.mode is not Mode.DESTROY:
            return False
        return bool(log.forgets) and not (log.failures or log.stopping or self.unsaved)

    @cached_property
    def after(self) -> State | None:
        """The state after the run; None if it can't be trusted to be the one this run left.

        An empty answer (no state) is trusted only if this run can't have stored one: terraform
        stores a state even if nothing is in it. Nor is the state trusted after OpenTofu was killed:
        OpenTofu saves it only at the end.
        """
        state, elsewhere = self.stored_state, self.arguments.names() & STATE
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
        """Whether the tool saves the state only at the end, which was seen in OpenTofu 1.13 and not
        in 1.6; assumed of the versions between, and of an unknown version."""
        version = self.version
        return version is None or (version.product == "OpenTofu" and version.is_at_least(1, 7))

    @property
    def _stored_nothing(self) -> bool:
        acted = self.log.has_acted if self.log is not None else self.exit_code == 0
        never = self.before is not None and self.before.identity == NEVER_WRITTEN
        return (never and not acted) or self.leaves_empty_state is True

    @property
    def leaves_empty_state(self) -> bool | None:
        """Whether the state is empty after a run that exited with 0, by what the run did or had
        planned; None if that is not known."""
        if self.exit_code != 0 or self.approval is not None:
            return None
        apply = self._apply_to(None)  # not `self.apply`: its `after` depends on this property
        if apply is not None and apply.leaves_something:
            return False
        if self.plan is not None:
            return self._plan_leaves_empty_state(self.plan)
        destroys = self.mode is Mode.DESTROY and not self.arguments.plan_file
        return True if destroys and not self.partial_reasons else None

    def _plan_leaves_empty_state(self, plan: Plan) -> bool | None:
        keeps_resources = any(
            c.managed and not c.deposed and not _removes_object(c.actions) for c in plan.kinds
        )
        keeps_outputs = any("delete" not in o.actions and not o.null for o in plan.outputs.values())
        if keeps_resources or keeps_outputs or plan.managed:
            return False
        whole = not self.partial_reasons and (plan.complete or not self.arguments.plan_file)
        return True if whole else None

    @property
    def state_is_empty(self) -> bool | None:
        """Whether the state holds nothing now: by the state read after the run, else by what the
        run did; None if neither is known. It decides between `active` and `inactive`."""
        return self.after.empty if self.after is not None else self.leaves_empty_state

    @property
    def _ended_abruptly(self) -> bool:
        """Whether an apply was killed, crashed, or got a second signal, at which no tool waits for
        what is in progress; or began to stop and did not say that it had stopped. An apply that
        ends by itself exits with 0 or 1."""
        stopped = self.log is not None and self.log.stop_unconfirmed
        return self.exit_code not in (0, 1) or len(self.signals) > 1 or stopped


def _removes_object(actions: frozenset[str]) -> bool:
    return actions <= {"delete", "forget"}
