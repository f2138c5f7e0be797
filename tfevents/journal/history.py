"""The history in the journal: each run with its events and how it ended."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from tfevents.journal import run_lock
from tfevents.journal.journal import Journal
from tfevents.journal.models import Run, Status, StoredEvent
from tfevents.journal.ownership import explain_waiting

EVENTS_OF_A_RUN = 1000
BEING_SENT = "being sent"
ALL = -1
"""As a limit: none (SQLite's own word for it)."""


class HistoryItem(Struct, frozen=True):
    """A run and its events, the oldest first; or one event that was sent by hand. An event's
    `reason` is that of `find_reason`."""

    run: Run | None
    events: tuple[StoredEvent, ...]
    end: str
    """A run's exit code; or running, open (a hook's) or killed; empty without a run."""

    @property
    def run_id(self) -> str:
        """What was sent by hand has one too."""
        return self.run.run_id if self.run else self.events[0].run_id

    @property
    def at(self) -> str:
        """When it began. RFC 3339, UTC."""
        return self.run.opened_at if self.run else self.events[0].put_at

    @property
    def last_at(self) -> str:
        """When it ended, as far as the journal knows. RFC 3339, UTC."""
        ended = (self.run.ended_at if self.run else None) or self.at
        return max((ended, *(event.put_at for event in self.events)), key=_to_the_second)

    @property
    def is_open(self) -> bool:
        """Whether it is a run without an end."""
        return self.run is not None and self.run.ended_at is None


class HistoryFilter(Struct, frozen=True):
    """What is asked for; all that is said must hold.

    `workspace`: where an event goes. `since`: what was still going on then, RFC 3339 in UTC.
    `undelivered`: events that wait or were refused.
    """

    workspace: str | None = None
    since: str = ""
    undelivered: bool = False

    def select(self, items: Iterable[HistoryItem]) -> Iterator[HistoryItem]:
        """What is asked for, each with those of its events that are."""
        for item in items:
            events = tuple(filter(self._wants_event, item.events))
            if self._wants_time(item) and (events or self._wants_run_alone(item)):
                yield replace(item, events=events)

    def _wants_time(self, item: HistoryItem) -> bool:
        return item.is_open or _to_the_second(item.last_at) >= _to_the_second(self.since)

    def _wants_event(self, event: StoredEvent) -> bool:
        waits = event.status is not Status.DELIVERED
        here = self.workspace in (None, event.destination.workspace)
        return here and (waits or not self.undelivered)

    def _wants_run_alone(self, item: HistoryItem) -> bool:
        """A run without events, as one that has just begun."""
        run = None if item.events else item.run
        return run is not None and not self.undelivered and self._is_here(run)

    def _is_here(self, run: Run) -> bool:
        destination = (run.base or {}).get("destination", {})
        return self.workspace in (None, destination.get("workspace"))


EVERYTHING = HistoryFilter()


def list_latest(
    journal: Journal, limit: int | None, wanted: HistoryFilter = EVERYTHING
) -> list[HistoryItem]:
    """The latest `limit` items of what is asked for, all where it is None; the newest last."""
    reach = limit if limit and wanted == EVERYTHING else ALL
    runs = list(islice(wanted.select(_list_runs(journal, reach)), limit))
    by_hand = list(islice(wanted.select(_list_loose(journal, reach)), limit))
    found = sorted([*runs, *by_hand], key=_order_of)
    return found[-limit:] if limit else found


def _order_of(item: HistoryItem) -> tuple[str, int]:
    """The key to sort by: a run's time is known to the second, the order of events exactly."""
    return _to_the_second(item.at), item.events[0].seq if item.events else sys.maxsize


def _to_the_second(at: str) -> str:
    """The part of a time that has one length, however it was written."""
    return at[:19]


def find_run_ids(journal: Journal, beginning: str) -> list[str]:
    """Of runs, and of events of no run, by how the id of it or of one of its events begins."""
    return [
        run_id
        for run_id, outline in journal.outline().items()
        if any(name.startswith(beginning) for name in (run_id, *outline))
    ]


def list_items(
    journal: Journal, run_ids: Iterable[str], wanted: HistoryFilter = EVERYTHING
) -> list[HistoryItem]:
    """What is asked for of some runs or events by hand, the newest last."""
    items = (item for run_id in run_ids for item in _find_items(journal, run_id))
    return sorted(wanted.select(items), key=_order_of)


def _find_items(journal: Journal, run_id: str) -> Iterator[HistoryItem]:
    run = journal.run(run_id)
    if run:
        yield _make_item(journal, run)
    else:
        for event in _explain(journal, journal.find_events(EVENTS_OF_A_RUN, run_id)):
            yield HistoryItem(None, (event,), "")


def _list_runs(journal: Journal, reach: int) -> Iterator[HistoryItem]:
    """The newest first."""
    for run in journal.runs(reach):
        yield _make_item(journal, run)


def _make_item(journal: Journal, run: Run) -> HistoryItem:
    events = (*_explain(journal, reversed(journal.find_events(EVENTS_OF_A_RUN, run.run_id))),)
    return HistoryItem(run, events, _describe_end(journal, run, events))


def _list_loose(journal: Journal, reach: int) -> Iterator[HistoryItem]:
    """The newest first. Asked for behind the runs, also those of a run that can't be read."""
    for event in _explain(journal, journal.find_loose_events(reach)):
        yield HistoryItem(None, (event,), "")


def _describe_end(journal: Journal, run: Run, events: tuple[StoredEvent, ...]) -> str:
    if run.exit_code is not None:
        return str(run.exit_code)
    if run.ended_at is not None:
        return "killed" if events and events[-1].says_killed else "-"
    if run.key:
        return "open"
    alive = run_lock.is_held(journal.home, run.run_id)
    return "running" if alive else "killed"


def _explain(journal: Journal, events: Iterable[StoredEvent]) -> Iterator[StoredEvent]:
    for event in events:
        yield replace(event, reason=find_reason(journal, event))


def find_reason(journal: Journal, event: StoredEvent) -> str | None:
    """Why an event has not arrived; None where it has."""
    if event.status is not Status.PENDING or event.attempts:
        return event.reason
    return BEING_SENT if journal.is_being_sent(event.queue) else explain_waiting(event)
