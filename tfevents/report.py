"""One run's report: gathers what is known while terraform works, puts events, delivers them.

Reporting can't fail, delay or alter a run: whatever goes wrong here ends as one line on stderr.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tfevents import __version__, closing
from tfevents.delivery import Budget, Courier, Delivered
from tfevents.errors import JournalUnavailable, SettingError, TfeventsError
from tfevents.event import Activity, describe
from tfevents.journal import (
    Destination,
    Journal,
    NewEvent,
    Run,
    Status,
    lane_of,
    open_journal,
    open_spare,
)
from tfevents.metadata import Origin, find, overrides
from tfevents.presence import Presence
from tfevents.schema import check, schema
from tfevents.settings import Settings, find_home, load

log = logging.getLogger(__name__)

WHOLE_RUN = 86400.0
INTERRUPTED_SECONDS = 1.5
PREPARE_SECONDS = 60.0


@dataclass(frozen=True)
class Subject:
    """Which run is reported: where it runs, what it sets out to do, and what proves it lives."""

    presence: Presence
    operation: str
    mode: str
    directory: str
    tf_workspace: str
    opened_at: str
    env: Mapping[str, str] = field(repr=False)
    key: str | None = None
    command: str | None = None
    identity: str | None = None
    """The run's id where it is not its presence's: a hook's run outlives the process."""
    opened: bool = False
    """Whether the journal knows the run already: a hook's `before` opened it."""
    base: Mapping[str, Any] = field(default_factory=dict)

    @property
    def run_id(self) -> str:
        """What the run is called."""
        return self.identity or self.presence.identity


@dataclass(frozen=True)
class Told:
    """What became of a report: the line to show, and whether everything arrived."""

    line: str | None
    delivered: bool


class Report(threading.Thread):
    """Works in the background from `start` on; `finish` is the only call that waits for it."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(name="report", daemon=True)
        self.subject = subject
        self.problems: list[str] = []
        self.settings = Settings(home=find_home(subject.env))
        self.budget = Budget(WHOLE_RUN)
        self._origin = Origin({}, "")
        self._overrides: dict[str, Any] = {}
        self._journal: Journal | None = None
        self._courier: Courier | None = None
        self._prepared, self._work = threading.Event(), threading.Event()
        self._idle, self._ending = threading.Event(), False
        self._done = Delivered()
        self.over = threading.Event()

    # In the background

    def run(self) -> None:
        """Prepares, then sends whatever is put, until the run has ended."""
        try:
            self._prepare()
        except Exception as error:  # the other broad one: the report never breaks the run
            self._problem(error)
        finally:
            self._prepared.set()
        try:
            self._deliver()
        except Exception as error:  # the same
            self._problem(error)
        finally:
            self._idle.set()

    def _problem(self, error: Exception) -> None:
        log.info("report: %s", type(error).__name__, exc_info=not isinstance(error, TfeventsError))
        text = str(error) if isinstance(error, TfeventsError) else f"{type(error).__name__} (a bug)"
        self.problems.append(text)

    def _prepare(self) -> None:
        subject = self.subject
        self._read_settings()
        self._origin = find(subject.directory, subject.env)
        self._journal = self._open()
        if not subject.opened:
            self._journal.open_run(self._run())
        closing.close_gone(self._journal, subject.env)
        if self.settings.api_key:
            self._courier = Courier(self._journal, self.settings, subject.presence.identity)

    def _read_settings(self) -> None:
        """A broken setting keeps the events here: nothing goes anywhere on half a setting."""
        subject = self.subject
        try:
            self.settings = load(
                subject.env, subject.directory, tf_workspace=subject.tf_workspace
            )
            fields = schema()["$defs"]["ActivityMetadata"]["properties"]
            self._overrides = overrides(subject.env, fields)
        except SettingError as error:
            self.settings = replace(self.settings, api_key=None)
            self.problems.append(str(error))

    def _open(self) -> Journal:
        try:
            return open_journal(self.settings.home)
        except JournalUnavailable as error:
            spare = open_spare()
            where = f"events are kept in {spare.home}" if spare.home else "events are not kept"
            self.problems.append(f"{error}; {where}")
            return spare

    def _run(self) -> Run:
        subject = self.subject
        return Run(
            run_id=subject.run_id,
            operation=subject.operation,
            mode=subject.mode,
            directory=self._origin.directory,
            opened_at=subject.opened_at,
            key=subject.key,
            command=subject.command,
            base={
                "metadata": {**self._origin.metadata, **self._overrides},
                "data": {"tf_workspace": subject.tf_workspace},
                "destination": self._destination().__dict__,
                **subject.base,
            },
        )

    def _destination(self) -> Destination:
        s = self.settings
        return Destination(s.account, s.org, s.project, s.workspace)

    def _deliver(self) -> None:
        while self._courier:
            self._work.clear()
            ending = self._ending
            self._done = self._courier.flush(self.budget, first=lane_of(self._destination()))
            if ending:
                return
            self._work.wait()

    # From the run

    def begin(self, activity: Activity, data: Mapping[str, str | None]) -> None:
        """The start event: in the journal now, sent while terraform works."""
        self._prepared.wait()
        try:
            self._put(self._event(activity, {}, data))
        except TfeventsError as error:
            self._problem(error)
        self._work.set()

    def finish(
        self,
        activity: Activity | None,
        metadata: Mapping[str, Any],
        data: Mapping[str, str | None],
        exit_code: int | None,
    ) -> Told:
        """The end event: kept, then sent within the budget."""
        self._prepared.wait()
        try:
            event = self._event(activity, metadata, data) if activity else None
            self._end(exit_code, event)
        except TfeventsError as error:
            self._problem(error)
        return self.leave()

    def leave(self) -> Told:
        """What is in the journal is sent within the budget; the run stays as it is."""
        self._prepared.wait()
        self._ending = True
        self.budget.limit(self.settings.budget)
        self._work.set()
        self._wait()
        return self._told()

    def hurry(self) -> None:
        """Somebody wants us to end: what can't be sent in a moment is kept for the next flush."""
        self.budget.limit(INTERRUPTED_SECONDS)

    def _wait(self) -> None:
        """Idle, or out of time: an answer that drips can hold a thread, not a run."""
        while not self._idle.wait(min(0.05, self.budget.left + 0.01)) and self.budget.left:
            pass

    def _event(
        self, activity: Activity, metadata: Mapping[str, Any], data: Mapping[str, str | None]
    ) -> NewEvent:
        event_id = str(uuid.uuid4())
        event = describe(
            activity,
            {**self._origin.metadata, **metadata, **self._overrides},
            {
                "tfevents_version": __version__,
                "event_id": event_id,
                "run_id": self.subject.run_id,
                "tf_workspace": self.subject.tf_workspace,
                "directory": self._origin.directory,
                "started_at": self.subject.opened_at,
                **data,
            },
        )
        body = event.body()
        check(body)
        return NewEvent(event_id, self.subject.run_id, self._destination(), body)

    def _put(self, event: NewEvent) -> None:
        self._with_journal(lambda journal: journal.put(event))

    def _end(self, exit_code: int | None, event: NewEvent | None) -> None:
        """The run's end and its event in one step; the event alone where the run was closed."""
        run_id, events = self.subject.run_id, [event] if event else []

        def end(journal: Journal) -> None:
            if not journal.end_run(run_id, exit_code, events):
                for left in events:
                    journal.put(left)

        self._with_journal(end)

    def _with_journal(self, write: Any) -> None:
        """A disk that got full since: the spare journal takes it."""
        try:
            if self._journal is None:
                raise JournalUnavailable("the journal could not be opened")
            write(self._journal)
        except JournalUnavailable as error:
            self._problem(error)
            self._journal = open_spare()
            write(self._journal)
            if self.settings.api_key:
                self._courier = Courier(
                    self._journal, self.settings, self.subject.presence.identity
                )

    def _told(self) -> Told:
        entries = []
        if self._journal is not None:
            try:
                entries = self._journal.entries(run_id=self.subject.run_id)
            except JournalUnavailable as error:
                self._problem(error)
        delivered = bool(entries) and all(e.status is Status.DELIVERED for e in entries)
        return Told(self._line(entries, delivered), delivered)

    def _line(self, entries: list[Any], delivered: bool) -> str | None:
        """One line: what was reported, and what became of it."""
        if not entries:
            return "; ".join(["nothing is reported", *self.problems])
        body = entries[0].body
        what = f"{body['event_type']}{in_short(body.get('metadata', {}))}"
        if delivered and not self.problems:
            return f"{what}, reported to Harness IaCM workspace {entries[0].destination.workspace}"
        if delivered:
            return f"{what}, reported; {'; '.join(self.problems)}"
        unsent = next(e for e in entries if e.status is not Status.DELIVERED)
        reason = "; ".join(self.problems) or unsent.reason or self._done.reason or self._unsent()
        verb = "refused" if unsent.status is Status.REFUSED else "kept in the journal"
        return f"{what}, {verb}: {reason}"

    def _unsent(self) -> str:
        if self.settings.api_key is None:
            return "no TFEVENTS_API_KEY is set (see: tfevents log)"
        return "out of time (send it with: tfevents flush)"


def in_short(metadata: Mapping[str, Any]) -> str:
    """The counts as people say them: (2 to add, 1 to change); empty where nothing was counted."""
    counts = metadata.get("resource_counts") or {}
    done = metadata.get("activity_type") in ("apply", "destroy", "import")
    words = {
        "imported": "imported" if done else "to import",
        "added": "added" if done else "to add",
        "changed": "changed" if done else "to change",
        "deleted": "destroyed" if done else "to destroy",
        "removed": "forgotten" if done else "to forget",
    }
    said = [f"{counts[name]} {word}" for name, word in words.items() if counts.get(name)]
    drift = sum((metadata.get("drift_counts") or {}).values())
    said += [f"{drift} drifted"] if drift else []
    return f" ({', '.join(said)})" if said else ""

