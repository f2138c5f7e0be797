"""Behind the stage of one run: finds its facts and tells its report. Imported while it runs."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tfevents import planfile, stream
from tfevents.approval import Approval
from tfevents.counts import Counts, count_drift, count_outputs, count_resources, has_changes
from tfevents.engine import Engine, Version
from tfevents.event import Numbers, Operation, Outcome, ended, started
from tfevents.facts import Planned, pull_state, read_plan
from tfevents.invocation import STATE
from tfevents.journal import now
from tfevents.later import Later
from tfevents.place import Place
from tfevents.plan import Mode, Plan
from tfevents.reconcile import Ledger, done_to_outputs, done_to_resources
from tfevents.report import Report, Subject, Told
from tfevents.scene import Scene, operation_of
from tfevents.split import Ended
from tfevents.state import State
from tfevents.stream import Stream

STREAM_POLL = 0.05


@dataclass(frozen=True)
class Facts:
    """Everything found out about a run that is over; None is not known."""

    ended: Ended
    planned: Planned | None = None
    stream: Stream | None = None
    before: State | None = None
    after: State | None = None
    version: Version | None = None
    missing: tuple[str, ...] = ()

    @property
    def plan(self) -> Plan | None:
        """The plan, from whichever reader."""
        return self.planned.plan if self.planned else None


@dataclass
class Verdict:
    """What is told: the outcome (None where nothing can be claimed), the numbers, the rest."""

    outcome: Outcome | None
    numbers: Numbers = field(default_factory=Numbers)
    data: dict[str, str | None] = field(default_factory=dict)


class Backstage:
    """Made once per run, in the background, as soon as terraform works."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.place = Place(scene.directory, scene.env)
        self.engine = Engine(scene.path, scene.invocation.options, scene.env)
        self.report = Report(
            Subject(
                presence=scene.presence,
                operation=scene.operation.value,
                mode=scene.invocation.mode.value,
                directory=scene.directory,
                tf_workspace=self.place.tf_workspace,
                opened_at=scene.opened_at,
                env=scene.env,
                command=scene.invocation.command,
            )
        )
        self.report.start()
        self._version: Later[Version] | None = None
        if scene.invocation.command != "plan":
            self._version = Later(self.engine.version, "version")

    # While terraform works

    def version(self) -> Version | None:
        """Which tool this is, by its own word."""
        if self._version is None:
            self._version = Later(self.engine.version, "version")
        return self._version.result()

    def read_planned(self, path: str) -> Later[Planned]:
        """The plan half's plan."""
        mode = self.scene.invocation.mode
        return Later(lambda: read_plan(self.engine, path, mode), "plan")

    def read_saved(self, path: str) -> Later[Planned]:
        """A saved plan, and its start event if it will change something."""

        def read() -> Planned | None:
            mode = planfile.mode(path)
            planned = read_plan(self.engine, path, mode)
            if planned is None or has_changes(planned.plan):
                operation = operation_of("apply", mode or Mode.NORMAL)
                self._begin(operation, planned)
            return planned

        return Later(read, "plan")

    def pull_before(self) -> Later[State]:
        """The state before."""
        return Later(lambda: pull_state(self.engine), "state before")

    def begin(self, operation: Operation, reading: Later[Planned] | None = None) -> None:
        """The start event of an approved run; it waits for nothing that the run would wait for."""
        Later(lambda: self._begin(operation, reading.result() if reading else None), "start")

    def _begin(self, operation: Operation, planned: Planned | None) -> None:
        """Refresh-only starts nothing unless there is drift to accept."""
        refreshes = planned is not None and planned.plan.mode is Mode.REFRESH_ONLY
        if not refreshes or _drifted(planned):
            self.report.begin(started(operation), {})

    def follow(self, path: str) -> Later[Stream]:
        """Watches the stream for the moment in which the run begins to change things."""
        return Later(lambda: self._follow(path), "stream")

    def _follow(self, path: str) -> Stream | None:
        with open(path, "rb") as file:
            read = b""
            while not self.report.over.is_set():
                read += file.read()
                told = stream.parse(read.splitlines())
                if told.applied:
                    if told.has_changes or told.drifted:
                        self._begin(self.scene.operation, None)
                    return told
                time.sleep(STREAM_POLL)
        return None

    # When it is over

    def end(self, ended_run: Ended) -> Told:
        """Finds the rest of the facts and tells the end."""
        facts = self._facts(ended_run)
        verdict = self._verdict(facts)
        activity = ended(verdict.outcome) if verdict.outcome else None
        self.report.over.set()
        return self.report.finish(
            activity,
            {**self._provisioner(facts), **verdict.numbers.metadata(), **_checksum(facts.after)},
            {**self._data(facts), **verdict.data},
            abs(ended_run.exit_code),
        )

    def _facts(self, run: Ended) -> Facts:
        planned = run.reading.result() if run.reading and not run.stream else None
        if run.plan_file:
            planned = read_plan(self.engine, run.plan_file, self.scene.invocation.mode)
        facts = Facts(
            ended=run,
            planned=planned,
            stream=_read_stream(run.stream) if run.stream else None,
            before=run.before.result() if run.before else None,
        )
        after = self._after(facts) if _touched(self.scene, facts) else None
        return replace(facts, after=after, missing=_missing(self.scene, facts, after))

    def _after(self, facts: Facts) -> State | None:
        """The state after, where it can be trusted to be this run's (design §3)."""
        if self.scene.invocation.names() & STATE:
            return None
        if facts.stream is not None and facts.ended.exit_code < 0:
            return None  # OpenTofu 1.12 and later save at the end: after a kill it proves nothing
        after = Later(lambda: pull_state(self.engine), "state").result()
        emptied = facts.ended.exit_code == 0 and self._mode(facts) is Mode.DESTROY
        if after is not None and after.serial is None and _had_state(facts) and not emptied:
            return None
        return after

    def _mode(self, facts: Facts) -> Mode:
        plan = facts.plan
        return plan.mode if plan and plan.mode else self.scene.invocation.mode

    def _operation(self, facts: Facts) -> Operation:
        return operation_of(self.scene.invocation.command, self._mode(facts))

    def _provisioner(self, facts: Facts) -> dict[str, Any]:
        """The plan's word on who wrote it, else the tool's own."""
        version = self._version.result() if self._version else None
        if facts.planned and facts.planned.tool:
            version = Version(facts.planned.tool, facts.planned.plan.terraform_version or "")
        version = version or self.version()
        if version is None:
            return {}
        return {"provisioner": version.provisioner, "provisioner_version": version.number}

    def _data(self, facts: Facts) -> dict[str, str | None]:
        run, after = facts.ended, facts.after
        code = run.exit_code
        received = self.scene.watch.received or ([-code] if code < 0 else [])
        partial = [*self.scene.invocation.partial, *_errored(facts.plan)]
        return {
            "exit_code": str(code if code >= 0 else 128 - code),
            "finished_at": now(),
            "serial": None if after is None or after.serial is None else str(after.serial),
            "lineage": after.lineage if after else None,
            "partial": ",".join(partial),
            "approval": _asked(facts),
            "interrupted": signal.Signals(received[0]).name if received else None,
            "missing": ",".join(facts.missing),
            "drift_listed": _drift_listed(facts.plan),
            "overhead_ms": str(self.scene.overhead),
        }

    # The verdict

    def _verdict(self, facts: Facts) -> Verdict:
        operation = self._operation(facts)
        if operation is Operation.PLAN:
            return self._of_plan(facts)
        if operation is Operation.IMPORT:
            return self._of_import(facts)
        if facts.stream is not None:
            return self._of_stream(facts, facts.stream)
        if _declined(facts):
            numbers = self._planned(facts)
            return _counted(self._outcome(facts, success=True, declined=True), numbers)
        return self._of_apply(facts)

    def _outcome(self, facts: Facts, *, success: bool, declined: bool = False) -> Outcome:
        plan = facts.plan
        return Outcome(
            operation=self._operation(facts),
            mode=self._mode(facts),
            success=success,
            declined=declined,
            has_changes=has_changes(plan) if plan else None,
            drift=bool(plan and count_drift(plan.drift or ()) != Counts()),
            empty=_empty(self.scene, facts),
        )

    def _planned(self, facts: Facts) -> Numbers:
        """The plan's own numbers; drift where the plan could measure it."""
        plan = facts.plan
        if plan is None:
            return Numbers()
        return Numbers(count_resources(plan), count_outputs(plan), self._drift(plan))

    def _drift(self, plan: Plan) -> Counts | None:
        """Not measured under -refresh=false, -destroy, or where the plan broke off."""
        unmeasured = "refresh=false" in self.scene.invocation.partial or plan.mode is Mode.DESTROY
        if unmeasured or (plan.errored and plan.drift is None):
            return None
        return count_drift(plan.drift or ())

    def _of_plan(self, facts: Facts) -> Verdict:
        outcome = self._outcome(facts, success=facts.ended.exit_code in (0, 2))
        if facts.plan is None and facts.ended.exit_code == 2:
            outcome = replace(outcome, has_changes=True)
        return _counted(outcome, self._planned(facts))

    def _of_import(self, facts: Facts) -> Verdict:
        success = facts.ended.exit_code == 0
        if facts.after is None or facts.before is None:
            return _counted(self._outcome(facts, success=success), Numbers())
        gained = len(facts.after.objects.keys() - facts.before.objects.keys())
        kept = len(facts.after.objects.keys() & facts.before.objects.keys())
        numbers = Numbers(Counts(imported=gained, unchanged=kept))
        return _counted(self._outcome(facts, success=success), numbers)

    def _of_apply(self, facts: Facts) -> Verdict:
        run = facts.ended
        if run.exit_code == 0:
            return _counted(self._outcome(facts, success=True), self._done(facts))
        if run.planning or (facts.planned is None and run.approved):
            return _counted(self._outcome(facts, success=False), Numbers())
        if run.approved is None and not _moved(facts):
            return Verdict(None)
        return self._failed(facts)

    def _done(self, facts: Facts) -> Numbers:
        """What was planned was done; outputs may have turned out to be what they were."""
        numbers = self._planned(facts)
        if facts.plan and facts.after:
            outputs = done_to_outputs(facts.plan, facts.after, finished=True)
            return replace(numbers, outputs=outputs)
        return numbers

    def _failed(self, facts: Facts) -> Verdict:
        """What was really done, held against the state; or nothing, where that can't be told."""
        outcome = self._outcome(facts, success=False)
        plan, prior = facts.plan, facts.planned.prior if facts.planned else None
        if plan is None or prior is None or facts.after is None:
            return _counted(outcome, Numbers())
        done = done_to_resources(plan, Ledger.of(prior, facts.after))
        planned = count_resources(plan)
        numbers = Numbers(
            done, done_to_outputs(plan, facts.after, finished=False), self._drift(plan)
        )
        if _only_forgot(outcome, done, planned):
            return _counted(replace(outcome, success=True), numbers)
        verdict = _counted(outcome, numbers)
        verdict.data |= {f"planned_{name}": str(n) for name, n in planned.as_json().items()}
        verdict.data["tainted"] = str(facts.after.tainted)
        return verdict

    def _of_stream(self, facts: Facts, told: Stream) -> Verdict:
        """OpenTofu's own account of an unsplit run."""
        code = facts.ended.exit_code
        outcome = self._outcome(facts, success=code == 0 or told.forgot)
        outcome = replace(outcome, has_changes=told.has_changes, drift=told.drifted > 0)
        if told.approval:
            declined = replace(outcome, success=True, declined=True)
            return _counted(declined, Numbers())
        if not told.applied:
            return _counted(outcome, Numbers())
        numbers = Numbers(told.done(facts.after), told.output_counts(facts.after))
        verdict = _counted(outcome, numbers)
        if not outcome.success:
            planned = told.planned_counts().as_json()
            planned.pop("unchanged")
            verdict.data |= {f"planned_{name}": str(n) for name, n in planned.items()}
            verdict.data["tainted"] = str(facts.after.tainted) if facts.after else None
        return verdict


def _counted(outcome: Outcome, numbers: Numbers) -> Verdict:
    return Verdict(outcome, numbers, {"counts": "exact" if numbers.resources else "absent"})


def _read_stream(path: str) -> Stream:
    with open(path, "rb") as file:
        return stream.parse(file)


def _touched(scene: Scene, facts: Facts) -> bool:
    """Whether the state is worth a look: terraform may have written it."""
    if scene.invocation.command == "plan" or facts.ended.planning or _declined(facts):
        return False
    return facts.stream is None or facts.stream.applied


def _declined(facts: Facts) -> bool:
    asked = facts.ended.approval or (facts.stream.approval if facts.stream else None)
    return asked not in (None, Approval.APPROVED)


def _asked(facts: Facts) -> str | None:
    asked = facts.ended.approval or (facts.stream.approval if facts.stream else None)
    return asked.value if asked and asked is not Approval.APPROVED else None


def _moved(facts: Facts) -> bool:
    """Whether a run that asked by itself, and failed, has written the state."""
    before, after = facts.before, facts.after
    if before is None or after is None:
        return False
    return (before.serial, before.lineage) != (after.serial, after.lineage)


def _had_state(facts: Facts) -> bool:
    """Whether there was a state before, as far as anybody knows."""
    prior = facts.planned.prior if facts.planned else facts.before
    plan = facts.plan
    planned = bool(plan and any("create" not in c.actions for c in plan.changes if c.managed))
    return planned or bool(prior and prior.objects) or facts.stream is not None


def _empty(scene: Scene, facts: Facts) -> bool | None:
    """Whether the state holds nothing now: by the state, else by a plan that was carried out."""
    if facts.after is not None:
        return facts.after.empty
    plan = facts.plan
    if plan is None or facts.ended.exit_code != 0:
        return None
    held = any(c.managed and not c.deposed and not _leaves(c.actions) for c in plan.changes)
    held = held or plan.managed > 0
    held = held or any("delete" not in o.actions and not o.null for o in plan.outputs.values())
    whole = plan.complete is not False and not scene.invocation.partial
    return False if held else (True if whole else None)


def _drifted(planned: Planned | None) -> bool:
    return planned is not None and count_drift(planned.plan.drift or ()) != Counts()


def _leaves(actions: frozenset[str]) -> bool:
    return actions <= {"delete", "forget"}


def _only_forgot(outcome: Outcome, done: Counts, planned: Counts) -> bool:
    """OpenTofu's exit code 1 after a destroy that did everything and forgot something (§1.2)."""
    destroys = outcome.mode is Mode.DESTROY and planned.removed > 0
    return destroys and done == planned


def _errored(plan: Plan | None) -> list[str]:
    return ["errored"] if plan and plan.errored else []


def _drift_listed(plan: Plan | None) -> str | None:
    """How many terraform's JSON lists, where noise was left out of the count."""
    listed = len(plan.drift or ()) if plan else 0
    counted = count_drift(plan.drift or ()) if plan else Counts()
    return str(listed) if listed != counted.changed + counted.deleted else None


def _missing(scene: Scene, facts: Facts, after: State | None) -> tuple[str, ...]:
    """Facts that were wanted and not found."""
    run = facts.ended
    plan = (run.plan_file or run.reading) and facts.planned is None and facts.stream is None
    state = _touched(scene, facts) and after is None
    return tuple(name for name, is_missing in (("plan", plan), ("state", state)) if is_missing)


def _checksum(after: State | None) -> Mapping[str, str]:
    return {"state_checksum": after.checksum} if after and after.checksum else {}

