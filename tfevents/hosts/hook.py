"""Reports runs of a host's own terraform, by calls of `tfevents hook` before and after each run.

`before` opens a run in the journal, `after` and `error` close it. No process of ours runs between
these calls, so the run is found by its key: the unit's directory, the terraform workspace and the
host's execution. Parallel units, workspaces and executions have keys of their own; a `before` under
the key of an open run closes that run first.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from msgspec.structs import replace

from tfevents.context.overrides import gather_valid_overrides
from tfevents.errors import UNDELIVERED, JournalUnavailable
from tfevents.events.table import find_operation, make_start_activity
from tfevents.hosts import hook_facts
from tfevents.hosts.baseline import Baseline, make_baseline, parse_baseline
from tfevents.hosts.call import HookCall
from tfevents.hosts.failed_runs import send_failed_runs
from tfevents.hosts.hook_outcome import HookFacts, HookOutcome, determine_hook_outcome
from tfevents.journal import run_lock
from tfevents.journal.fallback import open_journals
from tfevents.journal.fallback_home import find_fallback_home
from tfevents.journal.journal import Journal
from tfevents.journal.models import Run, StoredEvent, format_time, now
from tfevents.journal.recovery import end_as_failed
from tfevents.journal.run_lock import RunLock
from tfevents.reporting.reporter import Reporter, ReportResult
from tfevents.reporting.run import RunInfo
from tfevents.reporting.states import ERRORED
from tfevents.settings.environment import is_disabled
from tfevents.settings.home import find_home
from tfevents.settings.switches import is_on
from tfevents.terraform.state import State

NOTHING_TO_REPORT = ReportResult(None, True)
REPORTED_ALREADY = ReportResult("the end of this run was already reported", True)


def report_call(call: HookCall, env: Mapping[str, str]) -> ReportResult:
    """Reports what one call says about its run.

    Does nothing where TFEVENTS_DISABLED is set, and where the host runs `tf`, which reports itself.
    """
    if call.host.reports_itself or is_disabled(env):
        return NOTHING_TO_REPORT
    with _hold_lock(env) as lock:
        hook = Hook(call, env, lock)
        if call.moment == "before":
            return hook.open_run()
        if call.host.whole_execution:
            return hook.close_execution()
        return hook.close_run()


def find_exit_code(moment: str, *, delivered: bool, env: Mapping[str, str]) -> int:
    """0, so that a hook fails no run; with TFEVENTS_STRICT, 86 if an event was not delivered.

    Always 0 for `before`: another exit code would keep the host from running terraform.
    """
    undelivered = moment != "before" and not delivered
    return UNDELIVERED if undelivered and is_on("strict", env) else 0


@contextmanager
def _hold_lock(env: Mapping[str, str]) -> Iterator[RunLock]:
    """Holds a lock for this call under home, or under the fallback home if home can't be used."""
    try:
        lock = run_lock.acquire(find_home(env))
    except OSError:
        lock = run_lock.acquire(find_fallback_home())
    try:
        yield lock
    finally:
        lock.release()


@contextmanager
def _use_journals(env: Mapping[str, str]) -> Iterator[list[Journal]]:
    """Opens the journals that may hold an open run: home's, and the fallback journal."""
    journals = open_journals(find_home(env))
    try:
        yield journals
    finally:
        for journal in journals:
            journal.close()


def _close_as_failed(
    journals: Sequence[Journal], runs: Iterable[Run], interrupted: str | None = "killed"
) -> None:
    """Closes runs as failed. A run whose journal can't be written now stays open until later.

    `interrupted`: `data.interrupted` of the end event.
    """
    for run in runs:
        with suppress(JournalUnavailable):
            end_as_failed(journals, run.run_id, interrupted)


def _find_open_runs(journals: Sequence[Journal], key: str) -> list[Run]:
    """The runs of a key that have no end in any journal, oldest first within each journal."""
    found = [run for journal in journals for run in journal.find_open_runs(key)]
    copies = [journal.find_run(run.run_id) for journal in journals for run in found]
    ended_ids = {run.run_id for run in copies if run and run.ended_at}
    return [run for run in found if run.run_id not in ended_ids]


def _find_last_run(journals: Iterable[Journal], key: str) -> tuple[Run | None, list[StoredEvent]]:
    """The latest run of a key, with its last event if any; the fallback journal's run if any."""
    last: Run | None = None
    events: list[StoredEvent] = []
    for journal in journals:
        if found := journal.find_last_run(key):
            last, events = found, journal.find_events(1, found.run_id)
    return last, events


class Hook:
    """The processing of one call. `lock` must be held as long as this object is used."""

    def __init__(self, call: HookCall, env: Mapping[str, str], lock: RunLock) -> None:
        self.call, self.env, self.lock = call, env, lock
        self.client = hook_facts.find_client(call, env)

    def open_run(self) -> ReportResult:
        """Opens the run, with its start event where it is about to change something.

        First closes older open runs of the same key as failed: their host reported no end.
        """
        call = self.call
        self._end_older_runs()
        applies = call.command in ("apply", "destroy")
        # a plan file that exists at `before plan` is an older one
        planned = hook_facts.find_plan(call, self.client, self.env, Baseline()) if applies else None
        baseline = make_baseline(call, planned, hook_facts.find_state(call, self.client))
        reporter = self._make_reporter(None, baseline.as_json())
        reporter.start()
        mode = baseline.mode or call.mode
        if applies and hook_facts.has_work(planned, mode):
            reporter.put_start_event(make_start_activity(find_operation(call.command, mode)), {})
            return reporter.deliver()
        reporter.deliver()
        return ReportResult("; ".join(reporter.problems) or None, True)

    def _end_older_runs(self) -> None:
        with _use_journals(self.env) as journals:
            _close_as_failed(journals, _find_open_runs(journals, self.call.key))

    def close_run(self) -> ReportResult:
        """Closes the run that `before` opened, or reports a run that had no `before`.

        Does nothing for `error` without an open run: hosts also call it when another hook failed.
        """
        with _use_journals(self.env) as journals:
            open_runs = _find_open_runs(journals, self.call.key)
            last, events = (None, []) if open_runs else _find_last_run(journals, self.call.key)
        failed = self.call.moment == "error"
        open_runs = [run for run in open_runs if failed or run.command == self.call.command]
        if failed and not open_runs:
            return NOTHING_TO_REPORT
        if last and events and self._is_repeated(last, events[0].body):
            return REPORTED_ALREADY
        if last and events and self._was_closed_too_early(last, events[0]):
            open_runs = [last]
        run = open_runs[-1] if open_runs else None
        if run and run.command:  # `error` closes a run of any command
            self.call = replace(self.call, command=run.command)
        return self._report_end(run)

    def _was_closed_too_early(self, last: Run, last_event: StoredEvent) -> bool:
        """Whether the run was closed as killed while terraform still ran: it took more than a day,
        or the clock was set forward. `last_event`: the run's."""
        return last.command == self.call.command and last_event.says_killed

    def _is_repeated(self, last: Run, last_body: Mapping[str, Any]) -> bool:
        """Whether an earlier call has reported this end of `last`: same command and outcome, and
        neither plan nor state written since. `last_body`: of the event that ended `last`."""
        call, data = self.call, last_body.get("data", {})
        status = last_body.get("metadata", {}).get("activity_status")
        stated_status = "success" if call.stated_outcome else "failure"
        if call.stated_outcome is not None and status != stated_status:
            return False
        if parse_baseline(last.base).plans is None or "finished_at" not in data:
            return False
        paths = filter(None, (call.plan_file, call.plan_json))
        plan_rewritten = any(_find_modification_time(path) > data["finished_at"] for path in paths)
        if plan_rewritten or (last.command, last.exit_code) != (call.command, call.exit_code):
            return False
        state = self._find_state_after(last.opened_at)
        found = (str(state.serial), state.lineage) if state and state.lineage else (None, None)
        return found == (data.get("serial"), data.get("lineage"))

    def _find_state_after(self, opened_at: str) -> State | None:
        """The stored state; None if terraform could not store it since `opened_at`.

        Terraform leaves errored.tfstate then, and the stored state is an older one.
        """
        written = _find_modification_time(os.path.join(self.call.directory, ERRORED))
        if written and written[:19] >= opened_at[:19]:  # some file systems keep whole seconds
            return None
        return hook_facts.find_state(self.call, self.client)

    def close_execution(self) -> ReportResult:
        """Closes the execution's open runs as failed, unless the call says that it succeeded.

        Then delivers their pending events, or without such runs those of this directory. For
        Atlantis' post-workflow hook, called once for all runs.
        """
        if not self.call.succeeded:
            with _use_journals(self.env) as journals:
                runs = [run for journal in journals for run in journal.find_open_hook_runs()]
                if runs := list(filter(self._is_of_execution, runs)):
                    _close_as_failed(journals, runs, interrupted=None)
                    return send_failed_runs(journals, runs, self.call.unit, self.env)
        reporter = self._make_reporter(None, {}, opened=True)
        reporter.start()
        reporter.deliver()
        return NOTHING_TO_REPORT

    def _is_of_execution(self, run: Run) -> bool:
        return parse_baseline(run.base).execution == self.call.execution

    def _report_end(self, run: Run | None) -> ReportResult:
        """Reports the end of an open run, or of a run that had no `before` (None)."""
        call, baseline = self.call, parse_baseline(run.base if run else None)
        reporter = self._make_reporter(run, {})
        reporter.start()
        opened_at = run.opened_at if run else ""
        planned = hook_facts.find_plan(call, self.client, self.env, baseline, opened_at)
        problem = hook_facts.explain_missing_plan(call) if planned is None else None
        state = self._find_state_after(opened_at)
        facts = hook_facts.collect_facts(call, planned, state, baseline)
        outcome = determine_hook_outcome(facts)
        if outcome.activity is None:
            reporter.problems.append("whether there is something to apply is not known")
        metadata = self._make_metadata(facts, outcome)
        data = self._make_data(facts, outcome)
        reporter.put_end_event(outcome.activity, metadata, data, call.exit_code)
        result = reporter.deliver()
        return ReportResult(
            "; ".join(filter(None, (problem, result.line))) or None, result.delivered
        )

    def _make_metadata(self, facts: HookFacts, outcome: HookOutcome) -> dict[str, Any]:
        checksum = facts.state_after.checksum if facts.state_after else None
        return {
            **hook_facts.describe_provisioner(facts, self.client),
            **outcome.numbers.metadata(),
            **({"state_checksum": checksum} if checksum else {}),
        }

    def _make_data(self, facts: HookFacts, outcome: HookOutcome) -> dict[str, str | None]:
        code, after = self.call.exit_code, facts.state_after
        return {
            "counts": "exact" if outcome.numbers.resources else "absent",
            "outcome": "unknown" if outcome.succeeded is None else None,
            "partial": ",".join(hook_facts.find_partial_reasons(facts, self.call)),
            "missing": outcome.missing,
            "finished_at": now(),
            "exit_code": None if code is None else str(code),
            "serial": None if after is None or after.serial is None else str(after.serial),
            "lineage": after.lineage if after else None,
        }

    def _make_reporter(
        self, run: Run | None, base: Mapping[str, Any], *, opened: bool = False
    ) -> Reporter:
        call = self.call
        overrides, wrong = gather_valid_overrides(self.env)
        return Reporter(
            RunInfo(
                lock=self.lock,
                operation=find_operation(call.command, call.mode).value,
                mode=call.mode.value,
                directory=call.unit,
                tf_workspace=call.tf_workspace,
                opened_at=run.opened_at if run else now(),
                env=self.env,
                key=call.key,
                command=call.command,
                identity=run.run_id if run else run_lock.make_run_id(),
                opened=opened or run is not None,
                base=base,
                plan_file=call.plan_file if call.command == "apply" else None,
                overrides=overrides,
                wrong=wrong,
            )
        )


def _find_modification_time(path: str) -> str:
    """When a file was last written, as RFC 3339 in UTC; empty where that can't be found."""
    try:
        return format_time(os.stat(path).st_mtime)
    except OSError:
        return ""
