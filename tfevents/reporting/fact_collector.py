"""Finds the facts of one wrapped run: some while terraform works, the rest when it has exited.

Each fact is optional: one that can't be found is missing from the event, and never affects the run.
"""

from __future__ import annotations

import os
from functools import partial

from msgspec.structs import replace

from tfevents.background import BackgroundTask, optional
from tfevents.deadline import Deadline
from tfevents.delivery.artifact_source import ArtifactSource
from tfevents.readers.planfile import reader
from tfevents.reporting.facts import RunFacts
from tfevents.reporting.run import Run, RunResult
from tfevents.reporting.saved_plan import PlanFileWatcher, SavedPlan, read_plan
from tfevents.reporting.states import PreviousState, left_unsaved, pull_state, read_state
from tfevents.terraform.apply_log import ApplyLog
from tfevents.terraform.arguments import STATE, Mode
from tfevents.terraform.client import TerraformClient, Version
from tfevents.terraform.state import State
from tfevents.terraform.workdir import WorkingDirectory


class FactCollector:
    """Finds facts: `start` begins those that are found in the background while terraform works;
    `collect` waits for them and finds the rest."""

    def __init__(self, run: Run, workdir: WorkingDirectory, deadline: Deadline) -> None:
        self._run, self._workdir = run, workdir
        self._client = TerraformClient(run.binary, run.arguments.options, run.env, deadline)
        self._previous = PreviousState(workdir, self._client)
        self._watcher: PlanFileWatcher | None = None
        self._saved_plan: BackgroundTask[SavedPlan] | None = None
        self._state_before: BackgroundTask[State] | None = None
        self._version: BackgroundTask[Version] | None = None
        self.mode = run.arguments.mode
        """The run's planning mode; that of the saved plan once its file is read."""

    def start(self) -> None:
        """Starts the background tasks that the command needs; waits for none of them."""
        command = self._run.arguments.command
        if command in ("refresh", "import"):
            self._start_version_task()  # there is neither a plan nor a log that has it
        if command == "plan" and self._run.plan_file:
            self._watcher = PlanFileWatcher(
                self._run.plan_file, self._run.older_plan, self._run.env
            )
            self._watcher.start()
        if command in ("apply", "destroy"):
            self._start_apply()

    def _start_apply(self) -> None:
        if self._run.saved_plan:
            self._saved_plan = BackgroundTask(self._read_saved_plan, "plan")
        if not self._run.core_log:
            if not self._run.saved_plan:
                self._start_version_task()
            self._state_before = BackgroundTask(self._identify_state_before, "state before")

    def pull_state_before(self) -> None:
        """Pulls the state and waits for the result."""
        self._state_before = BackgroundTask(partial(pull_state, self._client), "state before")
        self._state_before.result()

    def update_from_log(self, log: ApplyLog) -> None:
        """Looks for the state before the run; called after each read of the core log, because that
        state can only be found until the run has changed it."""
        self._previous.update(log)

    def read_saved_plan(self) -> SavedPlan | None:
        """The saved plan that is applied; waits until it is read. None if the run has no saved plan
        or the plan can't be read."""
        return self._saved_plan.result() if self._saved_plan else None

    def _read_saved_plan(self) -> SavedPlan | None:
        path = self._run.saved_plan or ""
        self.mode = reader.read_mode(path) or Mode.NORMAL
        return read_plan(self._client, path, self.mode)

    def _identify_state_before(self) -> State | None:
        """The state before the run: of a local file only the serial and lineage that were read
        before terraform started, else the state that is pulled now."""
        stored = self._run.identity_before
        if stored is None:
            return pull_state(self._client)
        serial, lineage = stored
        return State(serial=serial, lineage=lineage)

    def _start_version_task(self) -> BackgroundTask[Version]:
        if self._version is None:
            self._version = BackgroundTask(self._client.find_version, "version")
        return self._version

    # When terraform has exited

    def collect(self, result: RunResult, log: ApplyLog | None) -> tuple[RunFacts, list[str]]:
        """The facts, and which of `plan` and `state` should have been found but were not."""
        planned = self._collect_plan(result)
        facts = RunFacts(
            arguments=self._run.arguments,
            exit_code=result.exit_code,
            started=result.started,
            mode=self._mode_of(planned, log),
            approved=self._run.needs_no_approval or None,
            signals=result.signals,
            planned=planned,
            log=log,
            before=self._state_before.result() if self._state_before else None,
            version=self._version_of(planned, log),
        )
        wanted = result.wrote_plan or self._run.saved_plan
        missing = ["plan"] if wanted and not planned else []
        if not facts.needs_state:
            return facts, missing
        facts = self._add_states(facts)
        return facts, missing if facts.after is not None else [*missing, "state"]

    def _collect_plan(self, result: RunResult) -> SavedPlan | None:
        if self._run.saved_plan:
            return self.read_saved_plan()
        if self._watcher and self._run.plan_file and result.wrote_plan:
            plan = self._watcher.take_plan(self._run.plan_file)
            return plan or optional(self._read_written_plan, "plan")
        return None

    def _read_written_plan(self) -> SavedPlan | None:
        return read_plan(self._client, self._run.plan_file or "", self.mode)

    def _mode_of(self, planned: SavedPlan | None, log: ApplyLog | None) -> Mode:
        logged = log.mode if log else None
        return logged or (planned.plan.mode if planned else None) or self.mode

    def _version_of(self, planned: SavedPlan | None, log: ApplyLog | None) -> Version | None:
        """The version in the core log, else the one in the plan, else that of the binary."""
        if log is not None and log.version:
            return Version(log.product, log.version)
        if planned is not None and planned.tool:
            return Version(planned.tool, planned.plan.terraform_version or "")
        return self._start_version_task().result()

    def _add_states(self, facts: RunFacts) -> RunFacts:
        """Adds the state after the run and, if there is a core log, the state before it."""
        since = float(int(self._run.opened_epoch))
        found = replace(
            facts,
            stored_state=optional(partial(self._find_state_after, facts, since), "state"),
            unsaved=left_unsaved(self._run.directory, since),
        )
        if facts.log is None:
            return found
        before = optional(partial(self._find_state_before, facts), "state before")
        return replace(found, before=before)

    def _find_state_before(self, facts: RunFacts) -> State | None:
        """The state before the run, if need be the one in the saved plan: terraform refuses to
        apply a stale plan, so that state was the current one."""
        found = self._previous.find_state(facts.log) if facts.log else None
        if found is None and facts.planned and facts.planned.find_previous:
            return read_state(facts.planned.find_previous())
        return found

    def _find_state_after(self, facts: RunFacts, since: float) -> State | None:
        """The state after the run: read from the local file if Terraform has just written it there
        (`state pull` would print the same), else pulled."""
        terraform = facts.version is not None and facts.version.product == "Terraform"
        if terraform and not STATE & facts.arguments.names():
            written = self._workdir.read_written_state(since)
            if written:
                return read_state(written)
        return pull_state(self._client)

    def find_source(self, result: RunResult, facts: RunFacts) -> ArtifactSource:
        """Where the run's artifacts come from; an apply that plans by itself has no plan file."""
        run = self._run
        plan_file = (run.plan_file if result.wrote_plan else None) or run.saved_plan
        return ArtifactSource(
            engine=self._client,
            lock=run.lock,
            directory=run.directory,
            env=run.env,
            plan_file=plan_file if plan_file and _has_content(plan_file) else None,
            has_state=facts.after is not None and not facts.after.empty,
            opentofu=facts.version is not None and facts.version.product == "OpenTofu",
        )


def _has_content(path: str) -> bool:
    return os.path.isfile(path) and os.path.getsize(path) > 0
