"""The history in the journal: each run with its events and how it ended."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from msgspec import Struct

from tfevents.journal import run_lock
from tfevents.journal.journal import Journal
from tfevents.journal.models import Run, Status, StoredEvent
from tfevents.journal.ownership import explain_waiting

EVENTS_OF_A_RUN = 1000


class HistoryItem(Struct, frozen=True):
    """A run and its events, the oldest first; or one event that was sent by hand."""

    run: Run | None
    events: tuple[StoredEvent, ...]
    end: str
    """A run's exit code; or running, open (a hook's) or killed; empty without a run."""

    @property
    def at(self) -> str:
        """When it began. RFC 3339, UTC."""
        return self.run.opened_at if self.run else self.events[0].put_at


def list_latest(journal: Journal, limit: int) -> list[HistoryItem]:
    """The latest `limit` items, the newest last."""
    return sorted(_list_items(journal, limit), key=_order_of)[-limit:]


def _order_of(item: HistoryItem) -> tuple[str, int]:
    """The key to sort by: a run's time is known to the second, the order of events exactly."""
    return item.at[:19], item.events[0].seq if item.events else sys.maxsize


def _list_items(journal: Journal, limit: int) -> Iterator[HistoryItem]:
    for run in reversed(journal.runs(limit)):
        events = tuple(reversed(journal.find_events(EVENTS_OF_A_RUN, run.run_id)))
        yield HistoryItem(run, events, _describe_end(journal, run, events))
    for event in reversed(journal.find_loose_events(limit)):
        yield HistoryItem(None, (event,), "")


def _describe_end(journal: Journal, run: Run, events: tuple[StoredEvent, ...]) -> str:
    if run.exit_code is not None:
        return str(run.exit_code)
    if run.ended_at is not None:
        return "killed" if any(map(_says_killed, events)) else "-"
    if run.key:
        return "open"
    alive = run_lock.is_held(journal.home, run.run_id)
    return "running" if alive else "killed"


def _says_killed(event: StoredEvent) -> bool:
    return (event.body.get("data") or {}).get("interrupted") == "killed"


def find_reason(event: StoredEvent) -> str | None:
    """Why an event has not arrived; None where it has."""
    untried = event.status is Status.PENDING and not event.attempts
    return explain_waiting(event) if untried else event.reason
