"""Behind the stage of one run: finds its facts and tells its report. Imported while it runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

from tfevents import planfile
from tfevents.aftermath import Facts
from tfevents.counts import Counts, count_drift, has_changes
from tfevents.engine import Engine, Version
from tfevents.entry import now
from tfevents.event import Operation, ended, operation_of, started
from tfevents.expected import Expected
from tfevents.facts import Planned, is_small, left_unsaved, pull_state, read_plan, read_state
from tfevents.invocation import STATE, Invocation
from tfevents.later import Later, attempt
from tfevents.place import Place, Signature, find_unit
from tfevents.plan import Mode
from tfevents.record import replace
from tfevents.report import Report, Subject, Told
from tfevents.scene import Scene
from tfevents.split import Ended
from tfevents.state import State
from tfevents.verdict import Verdict, reach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tfevents.artefact import Source
    from tfevents.stream import Stream

STREAM_POLL = 0.05
MOMENT = 0.5
"""Seconds in which terraform plans and applies a few resources."""


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
        self._mode = scene.invocation.mode
        self._before: Later[State] | None = None
        self._starting: Later[None] | None = None
        self._expected: Expected | None = None
        self._over = threading.Event()
        self._version: Later[Version] | None = None
        if not _will_tell(scene.invocation):
            self.ask_version()
        if scene.invocation.command != "plan":
            Later(self._wake_readers, "readers")

    # While terraform works

    def _wake_readers(self) -> None:
        """What reads a state is slow to wake, and in the way of what is needed first.

        A run that is over in a moment most often has none to be read, and a plan never has.
        """
        self.report.ready()
        if not self._over.wait(MOMENT):
            import tfevents.statejson  # noqa: F401  # it is there when it is needed

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

    def read_planned(self, path: str) -> Later[Planned]:
        """The plan half's plan."""
        return Later(lambda: self._plan_at(path), "plan")

    def _plan_at(self, path: str) -> Planned | None:
        """What was read early, where that is what lies there."""
        early = self._expected.found(path) if self._expected else None
        return early or read_plan(self.engine, path, self._mode)

    def read_saved(self, path: str) -> Later[Planned]:
        """A saved plan, and its start event if it will change something."""
        self._mode = planfile.mode(path) or Mode.NORMAL
        return Later(lambda: self._read_saved(path), "plan")

    def _read_saved(self, path: str) -> Planned | None:
        planned = read_plan(self.engine, path, self._mode)
        if planned is None or has_changes(planned.plan):
            self._begin(operation_of("apply", self._mode), planned)
        return planned

    def pull_before(self) -> Later[State]:
        """The state before."""
        return Later(lambda: pull_state(self.engine), "state before")

    def begin(self, operation: Operation, reading: Later[Planned] | None = None) -> None:
        """The start event of an approved run; it waits for nothing that the run would wait for."""
        if reading is not None:
            self._look()

        def begin() -> None:
            self._begin(operation, reading.result() if reading else None)

        self._starting = Later(begin, "start")

    def _begin(self, operation: Operation, planned: Planned | None) -> None:
        """Refresh-only starts nothing unless there is drift to accept."""
        if self._mode is not Mode.REFRESH_ONLY or _drifted(planned):
            self.report.begin(started(operation), {})

    def _look(self) -> None:
        """Which state there is when the apply begins: the plan's own, or somebody else's.

        A pull beside the apply is only worth it where time has passed since the plan.
        """
        stored = self.place.stored()
        if stored is not None:
            found = State(serial=stored[0], lineage=stored[1])
            self._before = Later(lambda: found, "state before")
        elif not self.scene.invocation.on("auto-approve"):
            self._before = self.pull_before()

    def follow(self, path: str) -> Later[Stream]:
        """Watches the stream for the moment in which the run begins to change things."""
        return Later(lambda: self._follow(path), "stream")

    def _follow(self, path: str) -> Stream:
        from tfevents.stream import Stream

        told, begun = Stream(), False
        with open(path, "rb") as file:
            while True:
                over = self._over.wait(STREAM_POLL)
                told.feed(file.read())
                if told.applied and not begun:
                    begun = True
                    self._begin_told(told)
                if over:
                    return told

    def _begin_told(self, told: Stream) -> None:
        """Its drift is not told from noise: accepted, all of it is stored."""
        refreshes = self._mode is Mode.REFRESH_ONLY
        if told.drifted if refreshes else told.has_changes:
            self.report.begin(started(self.scene.operation), {})

    # When it is over

    def end(self, run: Ended) -> Told:
        """Finds the rest of the facts and tells the end."""
        self._over.set()
        facts, missing = self._facts(run)
        verdict = attempt(lambda: reach(facts), "verdict") or Verdict(None)
        if self._starting is not None:
            self._starting.result()
        self.report.over.set()
        self.report.find_source = lambda: self._source(run, facts)
        return self.report.finish(
            ended(verdict.outcome) if verdict.outcome else None,
            {**self._provisioner(facts), **verdict.numbers.metadata(), **_checksum(facts.after)},
            {**self._data(facts), **verdict.data, "missing": ",".join(missing)},
            _as_a_shell_says(run.exit_code),
        )

    def _source(self, run: Ended, facts: Facts) -> Source:
        """Where artefacts come from; a split's plan is still where we put it."""
        from tfevents.artefact import Source

        scene = self.scene
        plan_file = run.plan_file or scene.saved_plan or scene.presence.path("plan")
        return Source(
            engine=self.engine,
            presence=scene.presence,
            directory=scene.directory,
            env=scene.env,
            plan_file=plan_file if _filled(plan_file) else None,
            has_state=facts.after is not None and not facts.after.empty,
        )

    def _facts(self, run: Ended) -> tuple[Facts, list[str]]:
        planned = self._planned(run)
        told = run.reading.result() if run.reading and run.stream else None
        facts = Facts(
            invocation=self.scene.invocation,
            exit_code=run.exit_code,
            mode=planned.plan.mode or self._mode if planned else self._mode,
            approved=run.approved,
            approval=run.approval,
            planning=run.planning,
            signals=tuple(self.scene.watch.received),
            planned=planned,
            stream=told,
            before=self._state_before(run),
            version=self._told_version(planned),
        )
        return self._with_state(facts, run)

    def _state_before(self, run: Ended) -> State | None:
        before = run.before or self._before
        found = before.result() if before else None
        if not isinstance(found, bytes):
            return found
        answer = found
        return attempt(lambda: read_state(answer, small=is_small(answer)), "state before")

    def _planned(self, run: Ended) -> Planned | None:
        if run.plan_file:
            path = run.plan_file
            return attempt(lambda: self._plan_at(path), "plan")
        return run.reading.result() if run.reading and not run.stream else None

    def _with_state(self, facts: Facts, run: Ended) -> tuple[Facts, list[str]]:
        missing = ["plan"] if _wanted_plan(run) and not (facts.planned or facts.stream) else []
        if not facts.touches_state:
            return facts, missing
        since = float(self.scene.opened)
        answer = attempt(lambda: self._pull(facts, since), "state")
        was = self._stored_prior(facts) if facts.needs_values else None
        small = is_small(answer, was)
        found = replace(
            facts,
            pulled=attempt(lambda: read_state(answer, small=small), "state"),
            unsaved=left_unsaved(self.scene.directory, since),
        )
        if found.needs_prior:
            was = was or self._stored_prior(found)
            prior = attempt(lambda: read_state(was, small=small), "prior state")
            found = replace(found, prior=prior)
        return found, missing if found.after is not None else [*missing, "state"]

    def _pull(self, facts: Facts, since: float) -> bytes | None:
        """The state: where terraform has just written it to a file, that is what a pull prints."""
        terraform = facts.version is not None and facts.version.product == "Terraform"
        if terraform and not STATE & facts.invocation.names():
            written = self.place.written(since)
            if written:
                return written
        return self.engine.pull()

    def _stored_prior(self, facts: Facts) -> bytes | None:
        find = facts.planned.find_prior if facts.planned else None
        return attempt(find, "prior state") if find else None

    def _told_version(self, planned: Planned | None) -> Version | None:
        """The plan's word on who wrote it, else the tool's own."""
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


def _will_tell(invocation: Invocation) -> bool:
    """Whether there will be a plan, which tells what made it, before anybody wants to know."""
    plans = invocation.command == "plan" or invocation.plan_file is not None
    return plans or invocation.on("auto-approve")


def _wanted_plan(run: Ended) -> bool:
    return bool(run.plan_file or run.reading)


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
