"""Lists the journal's runs with their events, and says how each run ended."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from tfevents.journal import run_lock
from tfevents.journal.fallback_home import list_homes
from tfevents.journal.journal import Journal
from tfevents.journal.models import Run, Status, StoredEvent
from tfevents.journal.ownership import explain_waiting

EVENTS_OF_A_RUN = 1000
BEING_SENT = "being sent"
ALL = -1
"""A limit that means no limit, as in SQLite."""


class HistoryItem(Struct, frozen=True):
    """A run and its events, the oldest first; or one event that was sent by hand.

    `run`: None for an event sent by hand. Each event's `reason` is that of `find_reason`.
    """

    run: Run | None
    events: tuple[StoredEvent, ...]
    end: str
    """A run's exit code, `running`, `open` (a hook's run), `killed` or `-`; empty without a run."""

    @property
    def run_id(self) -> str:
        """The run's id; for an event sent by hand, the event's own run id."""
        return self.run.run_id if self.run else self.events[0].run_id

    @property
    def started_at(self) -> str:
        """When the run began, or the event was put in the journal. RFC 3339, UTC."""
        return self.run.opened_at if self.run else self.events[0].put_at

    @property
    def latest_at(self) -> str:
        """The latest known time: of the run's end, or of its latest event. RFC 3339, UTC."""
        ended = (self.run.ended_at if self.run else None) or self.started_at
        return max((ended, *(event.put_at for event in self.events)), key=_cut_to_seconds)

    @property
    def is_open(self) -> bool:
        """Whether this is a run without a recorded end."""
        return self.run is not None and self.run.ended_at is None


class HistoryFilter(Struct, frozen=True):
    """Selects items that meet all of these conditions.

    `workspace`: the events' destination; None: any. `since`: only what was still going on at that
    time, or later, RFC 3339 in UTC. `undelivered`: only pending and refused events.
    """

    workspace: str | None = None
    since: str = ""
    undelivered: bool = False

    def select(self, items: Iterable[HistoryItem]) -> Iterator[HistoryItem]:
        """The selected items, each with only those of its events that are selected."""
        for item in items:
            events = tuple(filter(self._wants_event, item.events))
            if self._wants_time(item) and (events or self._wants_run_alone(item)):
                yield replace(item, events=events)

    def _wants_time(self, item: HistoryItem) -> bool:
        return item.is_open or _cut_to_seconds(item.latest_at) >= _cut_to_seconds(self.since)

    def _wants_event(self, event: StoredEvent) -> bool:
        undelivered = event.status is not Status.DELIVERED
        in_workspace = self.workspace in (None, event.destination.workspace)
        return in_workspace and (undelivered or not self.undelivered)

    def _wants_run_alone(self, item: HistoryItem) -> bool:
        """Whether to select a run without any events, such as one that has just begun."""
        run = None if item.events else item.run
        return run is not None and not self.undelivered and self._wants_workspace(run)

    def _wants_workspace(self, run: Run) -> bool:
        destination = (run.base or {}).get("destination", {})
        return self.workspace in (None, destination.get("workspace"))


EVERYTHING = HistoryFilter()


def list_latest(
    journal: Journal, limit: int | None, wanted: HistoryFilter = EVERYTHING
) -> list[HistoryItem]:
    """The latest `limit` items that `wanted` selects; None: all. The newest last."""
    query_limit = limit if limit and wanted == EVERYTHING else ALL
    runs = list(islice(wanted.select(_list_runs(journal, query_limit)), limit))
    by_hand = list(islice(wanted.select(_list_events_without_run(journal, query_limit)), limit))
    found = sorted([*runs, *by_hand], key=_sort_key)
    return found[-limit:] if limit else found


def _sort_key(item: HistoryItem) -> tuple[str, int]:
    """The sort key: a run's time is known to the second, the order of events exactly."""
    return _cut_to_seconds(item.started_at), item.events[0].seq if item.events else sys.maxsize


def _cut_to_seconds(time: str) -> str:
    """A time cut to seconds: RFC 3339 times vary only in what follows."""
    return time[:19]


def find_run_ids(journal: Journal, beginning: str) -> list[str]:
    """The run ids that begin with `beginning` or have an event whose id does.

    Also those of events that were sent by hand.
    """
    return [
        run_id
        for run_id, outline in journal.find_all_states().items()
        if any(name.startswith(beginning) for name in (run_id, *outline))
    ]


def list_items(
    journal: Journal, run_ids: Iterable[str], wanted: HistoryFilter = EVERYTHING
) -> list[HistoryItem]:
    """The items of these run ids that `wanted` selects, the newest last."""
    items = (item for run_id in run_ids for item in _find_items(journal, run_id))
    return sorted(wanted.select(items), key=_sort_key)


def _find_items(journal: Journal, run_id: str) -> Iterator[HistoryItem]:
    run = journal.find_run(run_id)
    if run:
        yield _make_item(journal, run)
    else:
        for event in _add_reasons(journal, journal.find_events(EVENTS_OF_A_RUN, run_id)):
            yield HistoryItem(None, (event,), "")


def _list_runs(journal: Journal, limit: int) -> Iterator[HistoryItem]:
    """The latest `limit` runs, the newest first."""
    for run in journal.find_runs(limit):
        yield _make_item(journal, run)


def _make_item(journal: Journal, run: Run) -> HistoryItem:
    events = (*_add_reasons(journal, reversed(journal.find_events(EVENTS_OF_A_RUN, run.run_id))),)
    return HistoryItem(run, events, _describe_end(journal, run, events))


def _list_events_without_run(journal: Journal, limit: int) -> Iterator[HistoryItem]:
    """Events of no run, the newest first; call it after `_list_runs`.

    The journal then also knows the unreadable runs, whose events are included.
    """
    for event in _add_reasons(journal, journal.find_events_without_run(limit)):
        yield HistoryItem(None, (event,), "")


def _describe_end(journal: Journal, run: Run, events: tuple[StoredEvent, ...]) -> str:
    if run.exit_code is not None:
        return str(run.exit_code)
    if run.ended_at is not None:
        return "killed" if events and events[-1].says_killed else "-"
    if run.key:
        return "open"
    alive = any(run_lock.is_held(home, run.run_id) for home in list_homes(journal.home))
    return "running" if alive else "killed"


def _add_reasons(journal: Journal, events: Iterable[StoredEvent]) -> Iterator[StoredEvent]:
    for event in events:
        yield replace(event, reason=find_reason(journal, event))


def find_reason(journal: Journal, event: StoredEvent) -> str | None:
    """Why an event is not delivered; None where it is delivered."""
    if event.status is not Status.PENDING or event.attempts:
        return event.reason
    return BEING_SENT if journal.is_being_sent(event.queue) else explain_waiting(event)
