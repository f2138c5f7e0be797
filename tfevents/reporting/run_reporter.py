"""Reports one wrapped run: its start while terraform works, its end when terraform has exited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from threading import Event
from typing import Any

from tfevents.background import BackgroundTask, optional
from tfevents.delivery.sender_process import StartedProcess
from tfevents.errors import SettingError, to_shell_status
from tfevents.events.model import Operation
from tfevents.events.table import find_operation, make_end_activity, make_start_activity
from tfevents.journal.models import now
from tfevents.reporting.attachments import AttachmentFunctions
from tfevents.reporting.fact_collector import FactCollector
from tfevents.reporting.facts import RunFacts
from tfevents.reporting.log_follower import follow
from tfevents.reporting.outcome import RunOutcome, determine_outcome
from tfevents.reporting.reporter import Reporter, ReportResult
from tfevents.reporting.run import Run, RunInfo, RunResult
from tfevents.settings.model import Settings
from tfevents.terraform.apply_log import ApplyLog
from tfevents.terraform.arguments import Mode
from tfevents.terraform.counts import Counts, count_listed_drift, has_changes
from tfevents.terraform.workdir import WorkingDirectory, find_unit_directory


class RunReporter:
    """Reports one run: `start` is called while terraform works, `report_end` and `deliver` when it
    has exited."""

    def __init__(
        self,
        run: Run,
        overrides: Mapping[str, Any],
        wrong: Sequence[SettingError],
        *,
        sender: StartedProcess | None = None,
    ) -> None:
        """`overrides`, `wrong`: as in RunInfo. `sender`: a sender process that was started already;
        None if there is none."""
        self._run = run
        workdir = WorkingDirectory(run.directory, run.env)
        self._reporter = Reporter(
            RunInfo(
                lock=run.lock,
                operation=find_operation(run.arguments.command, run.arguments.mode).value,
                mode=run.arguments.mode.value,
                directory=find_unit_directory(run.directory, run.env),
                tf_workspace=workdir.tf_workspace,
                opened_at=run.opened_at,
                env=run.env,
                command=run.arguments.command,
                stage=run.stage,
                plan_file=run.saved_plan,
                overrides=overrides,
                wrong=wrong,
            ),
            sender,
        )
        self._collector = FactCollector(run, workdir, self._reporter.deadline)
        self._run_ended = Event()
        self._log: BackgroundTask[ApplyLog] | None = None
        self._start_event_task: BackgroundTask[None] | None = None

    def start(self) -> None:
        """Starts the background tasks that work while terraform does."""
        self._reporter.start()
        self._collector.start()
        if self._run.core_log:
            self._log = BackgroundTask(self._follow_log, "core log")
        elif self._run.arguments.command in ("apply", "destroy") and self._run.needs_no_approval:
            self._start_event_task = BackgroundTask(self._put_start_event_without_log, "start")

    def pull_state_before(self) -> None:
        """Finds the state before an import and waits for it: it must be known before terraform
        starts."""
        self._collector.pull_state_before()

    def shorten_deadline(self) -> None:
        """Limits the deadline after a signal: unsent events stay in the journal for a flush."""
        self._reporter.shorten_deadline()

    @property
    def settings(self) -> Settings:
        """How events are delivered; until all settings are read, only the early ones are set."""
        return self._reporter.settings

    @property
    def end_event(self) -> Mapping[str, Any]:
        """The body of the end event; {} if none was made."""
        return self._reporter.end_event

    # While terraform works

    def _follow_log(self) -> ApplyLog | None:
        """Reads the core log to its end, and puts the start event when the apply begins. None if no
        terraform process wrote to the log."""
        log = None
        for log in follow(self._run.core_log or "", self._run_ended):
            if self._run.arguments.command != "plan":
                self._collector.update_from_log(log)
            if log.applied and (log.asked or log.has_acted) and self._start_event_task is None:
                self._start_event_task = self._begin_start_event_task(log.mode)
        return log if log and log.processes else None

    def _begin_start_event_task(self, mode: Mode | None) -> BackgroundTask[None]:
        operation = find_operation(self._run.arguments.command, mode or self._run.arguments.mode)
        activity = make_start_activity(operation)
        return BackgroundTask(partial(self._reporter.put_start_event, activity, {}), "start")

    def _put_start_event_without_log(self) -> None:
        """Puts the start event of an apply without core log: at once, unless its saved plan has
        nothing to apply; for a refresh-only run only if the saved plan lists drift."""
        planned, mode = self._collector.read_saved_plan(), self._collector.mode
        if self._run.saved_plan and planned and not has_changes(planned.plan):
            return
        drifted = planned is not None and count_listed_drift(planned.plan.drift or ()) != Counts()
        if mode is not Mode.REFRESH_ONLY or drifted:
            operation = find_operation(self._run.arguments.command, mode)
            self._reporter.put_start_event(make_start_activity(operation), {})

    # When terraform has exited

    @property
    def wants_attachments(self) -> bool:
        """Whether to store artifacts or estimate cost; waits until the settings are read."""
        return self._reporter.wants_attachments

    def set_attachment_functions(self, functions: AttachmentFunctions) -> None:
        """Sets the functions for attachments: before `report_end`, if `wants_attachments`."""
        self._reporter.set_attachment_functions(functions)

    def report_end(self, result: RunResult) -> None:
        """Finds the rest of the facts, puts the end event into the journal, and has it sent."""
        self._reporter.start_delivery_deadline()
        self._run_ended.set()
        log = self._log.result() if self._log else None
        facts, missing = self._collector.collect(result, log)
        outcome = optional(partial(determine_outcome, facts), "outcome") or RunOutcome(None)
        if self._start_event_task is not None:
            self._start_event_task.result()  # the start event must be put before the end event
        activity = make_end_activity(outcome.outcome) if outcome.outcome else None
        if activity is None:
            self._reporter.problems.append(_explain_unknown(facts))
        self._reporter.put_end_event(
            activity,
            {
                **(facts.version.metadata() if facts.version else {}),
                **outcome.numbers.metadata(),
                **_checksum(facts),
            },
            {**self._make_data(facts, result), **outcome.data, "missing": ",".join(missing)},
            to_shell_status(result.exit_code),
            self._collector.find_source(result, facts),
        )

    def deliver(self) -> ReportResult:
        """Waits until the events are delivered, at most until the deadline."""
        return self._reporter.deliver()

    def _make_data(self, facts: RunFacts, result: RunResult) -> dict[str, str | None]:
        after = facts.after
        return {
            "exit_code": str(to_shell_status(result.exit_code)),
            "finished_at": now(),
            "serial": None if after is None or after.serial is None else str(after.serial),
            "lineage": after.lineage if after else None,
            "overhead_ms": str(self._run.overhead(result)),
        }


def _explain_unknown(facts: RunFacts) -> str:
    """The line that says why there is no end event."""
    if facts.operation is Operation.PLAN:
        return "whether there is something to apply is not known"
    return "how it ended is not known" if facts.exit_code else "what its state holds is not known"


def _checksum(facts: RunFacts) -> Mapping[str, str]:
    after = facts.after
    return {"state_checksum": after.checksum} if after and after.checksum else {}
