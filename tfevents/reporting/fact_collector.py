"""Behind the stage of one run: finds its facts and tells its report. Imported while it runs."""

from __future__ import annotations

import os
from collections.abc import Mapping

from tfevents.background import Gate, Later, attempt
from tfevents.events.table import Operation, ended, operation_of, started
from tfevents.journal.models import now
from tfevents.readers.planfile import reader
from tfevents.record import replace
from tfevents.reporting.facts import Facts
from tfevents.reporting.outcome import Verdict, reach
from tfevents.reporting.plan_and_state import (
    Planned,
    is_small,
    left_unsaved,
    pull_state,
    read_plan,
    read_state,
)
from tfevents.reporting.plan_watcher import Expected
from tfevents.reporting.previous_state import PreviousState
from tfevents.reporting.reporter import Report, Subject, Told
from tfevents.terraform.arguments import STATE
from tfevents.terraform.client import Engine, Version
from tfevents.terraform.counts import Counts, count_drift, has_changes
from tfevents.terraform.plan import Mode
from tfevents.terraform.state import State
from tfevents.terraform.workdir import Place, Signature, find_unit
from tfevents.wrapper.scene import Ended, Scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tfevents.delivery.artifacts import Source
    from tfevents.readers.core_log import CoreLog

MOMENT = 0.5
"""Seconds in which terraform plans and applies a few resources."""


class Backstage:
    """Made once per run, in the background, as soon as terraform works."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.place = Place(scene.directory, scene.env)
        self.report = Report(
            Subject(
                presence=scene.presence,
                operation=scene.operation.value,
                mode=scene.invocation.mode.value,
                directory=find_unit(scene.directory, scene.env),
                tf_workspace=self.place.tf_workspace,
                opened_at=scene.opened_at,
                env=scene.env,
                command=scene.invocation.command,
                stage=scene.stage,
                plan_file=scene.saved_plan,
            )
        )
        self.report.start()
        self.engine = Engine(scene.path, scene.invocation.options, scene.env, self.report.budget)
        self._mode = scene.invocation.mode
        self._previous = PreviousState(self.place, self.engine)
        self._starting: Later[None] | None = None
        self._expected: Expected | None = None
        self._over = Gate()
        self._version: Later[Version] | None = None
        if scene.invocation.command in ("refresh", "import"):
            self.ask_version()  # there is neither a plan nor a log to say it
        if scene.invocation.command != "plan":
            Later(self._wake_readers, "readers")

    # While terraform works

    def _wake_readers(self) -> None:
        """What reads a state is slow to wake, and in the way of what is needed first.

        A run that is over in a moment most often has none to be read, and a plan never has.
        """
        self.report.ready()
        if not self._over.wait(MOMENT):
            import tfevents.readers.json.state  # noqa: F401  # it is there when it is needed

    def ask_version(self) -> Later[Version]:
        """Begins to ask which tool this is; once."""
        if self._version is None:
            self._version = Later(self.engine.version, "version")
        return self._version

    def version(self) -> Version | None:
        """Which tool this is, by its own word."""
        return self.ask_version().result()

    def expect(self, path: str, older: Signature | None = None) -> Later[None]:
        """Reads a plan as soon as it is written: terraform shows it for a while after that.

        `older`: of the file that lies there before.
        """
        self._expected = Expected(path, older, self.scene.env)
        return Later(self._expected.read, "plan")

    def _plan_at(self, path: str) -> Planned | None:
        """What was read early, where that is what lies there."""
        early = self._expected.found(path) if self._expected else None
        return early or read_plan(self.engine, path, self._mode)

    def read_saved(self, path: str, *, begins: bool = False) -> Later[Planned]:
        """A saved plan. `begins`: its start event, too, if it will change something."""
        self._mode = reader.mode(path) or Mode.NORMAL
        return Later(lambda: self._read_saved(path, begins), "plan")

    def _read_saved(self, path: str, begins: bool) -> Planned | None:
        planned = read_plan(self.engine, path, self._mode)
        if begins and (planned is None or has_changes(planned.plan)):
            self._begin(operation_of("apply", self._mode), planned)
        return planned

    def pull_before(self) -> Later[State]:
        """The state before."""
        return Later(lambda: pull_state(self.engine), "state before")

    def begin(self, operation: Operation) -> Later[None]:
        """The start event of an approved run; it waits for nothing that the run would wait for."""
        return Later(lambda: self._begin(operation, None), "start")

    def _begin(self, operation: Operation, planned: Planned | None) -> None:
        """Refresh-only starts nothing unless there is drift to accept."""
        if self._mode is not Mode.REFRESH_ONLY or _drifted(planned):
            self.report.begin(started(operation), {})

    def watch(self, path: str) -> Later[CoreLog]:
        """Follows the core log; tells the start when the run begins to change things."""
        return Later(lambda: self._watch(path), "core log")

    def _watch(self, path: str) -> CoreLog | None:
        from tfevents.reporting.log_follower import follow

        log = None
        for log in follow(path, self._over):
            self._previous.look(log)
            if log.applied and (log.asked or log.acts) and self._starting is None:
                self._start(log)
        return log if log and log.processes else None

    def _start(self, log: CoreLog) -> None:
        operation = operation_of(self.scene.invocation.command, log.mode or self._mode)
        self._starting = Later(lambda: self.report.begin(started(operation), {}), "start")

    # When it is over

    def end(self, run: Ended) -> Told:
        """Finds the rest of the facts and tells the end."""
        self.report.expire()
        self._over.open()
        facts, missing = self._facts(run)
        verdict = attempt(lambda: reach(facts), "verdict") or Verdict(None)
        if self._starting is not None:
            self._starting.result()
        self.report.over.set()
        self.report.find_source = lambda: self._source(run, facts)
        activity = ended(verdict.outcome) if verdict.outcome else None
        if activity is None:
            self.report.problems.append(_unknown(facts))
        return self.report.finish(
            activity,
            {**self._provisioner(facts), **verdict.numbers.metadata(), **_checksum(facts.after)},
            {**self._data(facts), **verdict.data, "missing": ",".join(missing)},
            _as_a_shell_says(run.exit_code),
        )

    def _source(self, run: Ended, facts: Facts) -> Source:
        """Where artefacts come from; of an apply that plans by itself there is no plan."""
        from tfevents.delivery.artifacts import Source

        scene = self.scene
        plan_file = run.plan_file or scene.saved_plan
        return Source(
            engine=self.engine,
            presence=scene.presence,
            directory=scene.directory,
            env=scene.env,
            plan_file=plan_file if plan_file and _filled(plan_file) else None,
            has_state=facts.after is not None and not facts.after.empty,
        )

    def _facts(self, run: Ended) -> tuple[Facts, list[str]]:
        planned, log = self._planned(run), run.log.result() if run.log else None
        facts = Facts(
            invocation=self.scene.invocation,
            exit_code=run.exit_code,
            started=run.started,
            mode=self._mode_of(planned, log),
            approved=run.approved,
            signals=tuple(self.scene.watch.received),
            planned=planned,
            log=log,
            before=run.before.result() if run.before else None,
            version=self._told_version(planned, log),
        )
        return self._with_states(facts, run)

    def _mode_of(self, planned: Planned | None, log: CoreLog | None) -> Mode:
        told = log.mode if log else None
        return told or (planned.plan.mode if planned else None) or self._mode

    def _planned(self, run: Ended) -> Planned | None:
        if run.plan_file:
            path = run.plan_file
            return attempt(lambda: self._plan_at(path), "plan")
        return run.reading.result() if run.reading else None

    def _with_states(self, facts: Facts, run: Ended) -> tuple[Facts, list[str]]:
        missing = ["plan"] if (run.plan_file or run.reading) and not facts.planned else []
        if not facts.touches_state:
            return facts, missing
        since = float(self.scene.opened)
        after = attempt(lambda: self._pull(facts, since), "state")
        before = attempt(lambda: self._stored_before(facts), "state before")
        small = is_small(after, before)
        settled = facts.log is not None
        found = replace(
            facts,
            pulled=attempt(lambda: read_state(after, small=small, settled=settled), "state"),
            unsaved=left_unsaved(self.scene.directory, since),
        )
        if facts.log is not None:
            was = attempt(lambda: read_state(before, small=small, settled=True), "state before")
            found = replace(found, before=was)
        return found, missing if found.after is not None else [*missing, "state"]

    def _stored_before(self, facts: Facts) -> bytes | None:
        """Of a saved plan as it has it, where it is nowhere else: a stale one is not applied."""
        if facts.log is None:
            return None
        stored = self._previous.find(facts.log)
        if stored is None and facts.planned and facts.planned.find_previous:
            return facts.planned.find_previous()
        return stored

    def _pull(self, facts: Facts, since: float) -> bytes | None:
        """The state: where terraform has just written it to a file, that is what a pull prints."""
        terraform = facts.version is not None and facts.version.product == "Terraform"
        if terraform and not STATE & facts.invocation.names():
            written = self.place.written(since)
            if written:
                return written
        return self.engine.pull()

    def _told_version(self, planned: Planned | None, log: CoreLog | None) -> Version | None:
        """The run's own word on what it is, or the plan's, else the tool's."""
        if log is not None and log.version:
            return Version(log.product, log.version)
        if planned is not None and planned.tool:
            return Version(planned.tool, planned.plan.terraform_version or "")
        return self.version()

    def _provisioner(self, facts: Facts) -> dict[str, Any]:
        version = facts.version
        if version is None:
            return {}
        return {"provisioner": version.provisioner, "provisioner_version": version.number}

    def _data(self, facts: Facts) -> dict[str, str | None]:
        code, after = facts.exit_code, facts.after
        return {
            "exit_code": str(_as_a_shell_says(code)),
            "finished_at": now(),
            "serial": None if after is None or after.serial is None else str(after.serial),
            "lineage": after.lineage if after else None,
            "overhead_ms": str(self.scene.overhead),
        }


def _unknown(facts: Facts) -> str:
    """Why nothing is claimed."""
    if facts.operation is Operation.PLAN:
        return "whether there is something to apply is not known"
    return "how it ended is not known" if facts.exit_code else "what its state holds is not known"


def _filled(path: str) -> bool:
    """Whether there is a file with something in it."""
    return os.path.isfile(path) and os.path.getsize(path) > 0


def _drifted(planned: Planned | None) -> bool:
    return planned is not None and count_drift(planned.plan.drift or ()) != Counts()


def _checksum(after: State | None) -> Mapping[str, str]:
    return {"state_checksum": after.checksum} if after and after.checksum else {}


def _as_a_shell_says(exit_code: int) -> int:
    """128 + n for a death by signal n."""
    return exit_code if exit_code >= 0 else 128 - exit_code
