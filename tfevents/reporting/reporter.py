"""Reports one run: puts its events into the journal and has them sent while terraform works.

Reporting can't fail, delay or alter a run: any error here becomes a line on stderr.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from math import inf
from typing import Any
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import asdict, replace

from tfevents import __version__
from tfevents.background import log_failure, optional
from tfevents.context.origin import Origin, find_origin, make_relative
from tfevents.deadline import Deadline
from tfevents.delivery.artifact_source import ArtifactSource
from tfevents.delivery.result import NO_KEY, OUT_OF_TIME, describe_missing
from tfevents.delivery.sender_process import SenderProcess, SenderReport, StartedProcess
from tfevents.delivery.sender_start import start_sender
from tfevents.errors import DeliveryError, JournalUnavailable, TfeventsError
from tfevents.events.body import build_event
from tfevents.events.model import Activity, EventType
from tfevents.journal import recovery
from tfevents.journal.fallback import JournalFallback
from tfevents.journal.journal import Journal
from tfevents.journal.models import Destination, NewEvent, Run, Status, locate, own_queues
from tfevents.reporting.attachments import AttachmentFunctions, Attachments
from tfevents.reporting.run import RunInfo
from tfevents.reporting.summary import summarise
from tfevents.settings.load import gather_settings, read_early_settings
from tfevents.terminal import printable

WHOLE_RUN, INTERRUPTED_SECONDS, PREPARE_SECONDS = inf, 1.5, 5.0
"""Seconds: no deadline until terraform has exited, the time for all that is left to do after a
signal, and the time that a call waits for the report to be prepared."""
STAGE_ENDED = Activity(EventType.STAGE_COMPLETE)


class ReportResult(Struct, frozen=True):
    """What became of a report: the line to show, and whether all events were delivered."""

    line: str | None
    delivered: bool


class Reporter:
    """Reports one run. `start` has the report prepared by a thread; calls that need the prepared
    report wait at most PREPARE_SECONDS."""

    def __init__(self, info: RunInfo, sender: StartedProcess | None = None) -> None:
        """`sender`: a sender process that was started already; None if there is none."""
        self.info = info
        self.problems: list[str] = []
        self.settings = read_early_settings(info.env)
        self._pending_reason: str | None = None
        self.deadline = Deadline(WHOLE_RUN)
        self._origin = Origin({}, "")
        self._overrides = info.overrides
        self._journal = JournalFallback(self._add_problem, self._restart_sender)
        self._sender = SenderProcess(sender) if sender else None
        self._prepared = threading.Event()
        self._event_lock, self._ended, self._events_made = threading.RLock(), False, 0
        self._sender_report = SenderReport()
        self.end_event: Mapping[str, Any] = {}
        self._attachments = Attachments(info)

    # In the background

    def start(self) -> None:
        """Starts the thread that prepares the report, and has the sender process begin."""
        threading.Thread(target=self._prepare_in_background, name="report", daemon=True).start()

    @contextmanager
    def _collect_problems(self) -> Iterator[None]:
        """Turns any exception in the block into a line in `problems`; never raises."""
        try:
            yield
        except Exception as error:
            self._add_problem(error)

    def _add_problem(self, error: Exception) -> None:
        known = isinstance(error, TfeventsError)
        log_failure("report", error, trace=not known)
        text = str(error) if known else f"{type(error).__name__} (a bug)"
        if text not in self.problems:
            self.problems.append(text)

    def _prepare_in_background(self) -> None:
        """Reads the settings and opens the journal first: events must not wait for slow facts, nor
        lack a destination because the journal is locked by another process."""
        with self._collect_problems():
            self._read_settings()
        with self._collect_problems():
            self._start_sender()
        with self._collect_problems():
            self._journal.open(self.settings.home)
        with self._collect_problems():
            self._origin = self._find_origin()
        with self._collect_problems():
            self._attachments.find_cost(self.settings, self._origin)
        with self._collect_problems():
            self._recover_and_prune()
        with self._collect_problems():
            self._open_run()
        with self._collect_problems():
            self._begin_sending()
        self._prepared.set()

    def _read_settings(self) -> None:
        """Reads the settings. If one is invalid, drops the API key, so that all events stay in the
        journal: nothing is sent with part of the settings."""
        info = self.info
        self.settings, wrong = gather_settings(
            info.env, info.directory, tf_workspace=info.tf_workspace
        )
        self._pending_reason = None if self.settings.api_key else NO_KEY
        wrong += info.wrong
        if wrong:
            self.settings = replace(self.settings, api_key=None)
            self._add_problem(wrong[0])
            self._pending_reason = str(wrong[0])

    def _find_origin(self) -> Origin:
        """Where and why the run happened; if that can't be found, only the directory."""
        directory, env = self.info.directory, self.info.env
        found = optional(partial(find_origin, directory, env), "origin")
        return found or Origin({}, make_relative(directory, None))

    def _recover_and_prune(self) -> None:
        """Closes abandoned runs, merges the fallback journal, deletes events beyond the limits."""
        journal, env = self._journal.journal, self.info.env
        recovery.recover_abandoned(journal, env, self.info.run_id)
        if lost := journal.prune():
            self._add_problem(
                JournalUnavailable(f"{lost} undelivered events were too many to keep")
            )

    def _open_run(self) -> None:
        with self._event_lock:
            if not (self.info.opened or self._ended):
                self._journal.write(Journal.open_run, self._make_run())

    def _start_sender(self) -> None:
        """Starts the sender process, if it was not started earlier; drops it if there is no API key
        or no destination. Raises DeliveryError."""
        if self.settings.api_key is None or self._destination().missing():
            self._drop_sender()
        elif self._sender is None:
            try:
                self._sender = SenderProcess(start_sender(self.info.env))
            except OSError as error:
                raise DeliveryError(f"nothing can be sent: {error.strerror}") from None

    def _begin_sending(self) -> None:
        """Tells the sender process to begin, unless older events wait in another journal."""
        info, directory = self.info, locate(self.info.directory)
        queues = own_queues(self._destination(), directory, info.tf_workspace)
        if self._journal.has_older_events(queues):
            self._drop_sender()
        elif self._sender is not None:
            home = self._journal.journal.home
            self._sender.begin(self.settings, home, directory, info.tf_workspace)

    def _drop_sender(self) -> None:
        if self._sender is not None:
            self._sender.abandon()
        self._sender = None

    def _restart_sender(self) -> None:
        """Called when another journal is used: a sender process sends from one journal only."""
        if self._sender is not None and self._sender.began:
            self._drop_sender()
            self._start_sender()
            self._begin_sending()

    def _make_run(self) -> Run:
        info = self.info
        return Run(
            run_id=info.run_id,
            operation=info.operation,
            mode=info.mode,
            directory=self._origin.directory,
            opened_at=info.opened_at,
            key=info.key,
            command=info.command,
            base={
                "metadata": {**self._origin.metadata, **self._overrides},
                "data": {"tf_workspace": info.tf_workspace},
                "destination": asdict(self._destination()),
                "directory": locate(info.directory),
                "waits": self._pending_reason,
                **info.base,
            },
        )

    def _destination(self) -> Destination:
        return Destination.of(self.settings)

    def set_attachment_functions(self, functions: AttachmentFunctions) -> None:
        """Sets the functions for attachments: before `put_end_event`, if `wants_attachments`."""
        self._attachments.functions = functions

    @property
    def wants_attachments(self) -> bool:
        """Whether to store artifacts or estimate cost; waits until the settings are read."""
        self._await_prepared()
        stores = bool(self.settings.artefacts) and self.settings.api_key is not None
        return stores or self.settings.infracost

    # Called from the run

    def put_start_event(self, activity: Activity, data: Mapping[str, str | None]) -> None:
        """Puts the start event into the journal, unless the end event was put, and has it sent."""
        self._prepared.wait(PREPARE_SECONDS)
        with self._collect_problems(), self._event_lock:
            if not self._ended:
                event = self._make_event(activity, self._attachments.cost, data)
                self._journal.write(Journal.put, event)
        if self._sender is not None:
            self._sender.notify()

    def put_end_event(
        self,
        activity: Activity | None,
        metadata: Mapping[str, Any],
        data: Mapping[str, str | None],
        exit_code: int | None,
        source: ArtifactSource | None = None,
    ) -> None:
        """Puts the end event into the journal, and has it sent. `activity`: None if the outcome is
        not known (no end event). `source`: where artifacts come from."""
        if data.get("interrupted"):
            self.shorten_deadline()
        self._await_prepared()
        events: list[NewEvent] = []
        with self._event_lock:
            self._ended = True
            with self._collect_problems():
                self._attach(source)
            with self._collect_problems():
                facts = {**self._attachments.metadata, **metadata}
                events += [self._make_event(activity, facts, data)] if activity else []
                self.end_event = events[0].body if events else {}
            with self._collect_problems():
                events += [self._make_event(STAGE_ENDED, {}, {})] if self.info.stage else []
            with self._collect_problems():
                self._journal.write(self._end_run, exit_code, events)
        self._finish_sending()

    def _attach(self, source: ArtifactSource | None) -> None:
        """Estimates cost and stores artifacts, each within half of the time left until the deadline
        of the report."""
        if source is None:
            return
        attachments, settings = self._attachments, self.settings
        with self._collect_problems():
            attachments.estimate_cost(source, settings, self._origin, self.deadline.part(0.5))
        metadata = {**self._origin.metadata, **self._overrides}
        destination, deadline = self._destination(), self.deadline.part(0.5)
        self.problems += attachments.store(source, settings, metadata, destination, deadline)

    def _finish_sending(self) -> None:
        """Tells the sender process that no more events will come, and the deadline."""
        if self._sender is not None:
            self._sender.finish(self.deadline)

    def deliver(self) -> ReportResult:
        """Waits until the events are sent, at most until the deadline; does not change the run."""
        self._await_prepared()
        if self._sender is not None:
            self._sender_report = self._sender.wait(self.deadline)
        return self._make_result()

    def _await_prepared(self) -> None:
        """Waits until the thread is done, at most PREPARE_SECONDS; what is not known by then is
        left out. The timeout is for delivery, so it begins only afterwards."""
        seconds = min(PREPARE_SECONDS, self.deadline.seconds_left)
        if not self._prepared.wait(seconds):
            self._add_problem(JournalUnavailable("the settings could not be read in time"))
        self.deadline.limit(self.settings.timeout)

    def start_delivery_deadline(self) -> None:
        """Limits all that is left to do to the timeout; called when terraform has exited."""
        self.deadline.limit(self.settings.timeout)

    def shorten_deadline(self) -> None:
        """Limits the deadline after a signal: unsent events stay in the journal for a flush."""
        self.deadline.limit(INTERRUPTED_SECONDS)

    def _make_event(
        self, activity: Activity, metadata: Mapping[str, Any], data: Mapping[str, str | None]
    ) -> NewEvent:
        self._events_made += 1
        event_id = str(uuid4())
        event = build_event(
            activity,
            {**self._origin.metadata, **metadata, **self._overrides},
            {
                "tfevents_version": __version__,
                "event_id": event_id,
                "run_id": self.info.run_id,
                "tf_workspace": self.info.tf_workspace,
                "directory": self._origin.directory,
                "started_at": self.info.opened_at,
                **data,
            },
        )
        return NewEvent(
            event_id,
            self.info.run_id,
            self._destination(),
            event.body(),
            directory=locate(self.info.directory),
            tf_workspace=self.info.tf_workspace,
            reason=self._pending_reason,
        )

    def _end_run(self, journal: Journal, exit_code: int | None, events: list[NewEvent]) -> None:
        """Records the run's end and its events in one transaction; only the events if the run was
        closed already. Opens the run first if this journal does not have it (fallback)."""
        if journal.find_run(self.info.run_id) is None:
            journal.open_run(self._make_run())
        if not journal.end_run(self.info.run_id, exit_code, events):
            for event in events:
                journal.put(event)

    def _make_result(self) -> ReportResult:
        entries = self._journal.find_events(self.info.run_id)
        complete = len(entries) >= self._events_made
        delivered = complete and all(e.status is Status.DELIVERED for e in entries)
        reason = self._sender_report.reason or self._explain_unsent()
        sender_problems = [self._sender_report.problem] if self._sender_report.problem else []
        problems = [*self.problems, *sender_problems, *self._journal.find_unreadable()]
        line = summarise(entries, delivered, problems, reason)
        return ReportResult(printable("; ".join([line, *self.settings.notes])), delivered)

    def _explain_unsent(self) -> str:
        if self.settings.api_key is None:
            return f"{NO_KEY} (see: tfevents log)"
        if missing := self._destination().missing():
            return describe_missing(missing)
        return OUT_OF_TIME
