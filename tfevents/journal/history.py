"""The story of `log`: what the journal holds, run by run, for people and for programs."""

from __future__ import annotations

import calendar
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tfevents.cli.output import Table
from tfevents.journal import run_lock
from tfevents.journal.journal import Journal
from tfevents.journal.models import Entry, Run, Status
from tfevents.journal.ownership import why_it_waits
from tfevents.record import dataclass
from tfevents.reporting.summary import in_short

EVENTS_OF_A_RUN = 1000
TITLES = ("when", "run", "exit", "event", "delivery", "tries", "why not")
COLOURS = {
    **{"delivered": "green", "pending": "yellow", "refused": "bold red", "killed": "red"},
    **{"failed": "red", "running": "cyan", "open": "cyan"},
}


@dataclass(frozen=True)
class Page:
    """A run and its events, the oldest first; or one event that was sent by hand."""

    run: Run | None
    events: tuple[Entry, ...]
    ended: str
    """A run's exit code; or running, open (a hook's) or killed; empty without a run."""

    @property
    def at(self) -> str:
        """When it began. RFC 3339, UTC."""
        return self.run.opened_at if self.run else self.events[0].put_at


def read(journal: Journal, limit: int) -> list[Page]:
    """The latest pages, the newest last."""
    return sorted(_pages(journal, limit), key=_place)[-limit:]


def _place(page: Page) -> tuple[str, int]:
    """Where a page belongs: a run's time is known to the second, the order of events exactly."""
    return page.at[:19], page.events[0].seq if page.events else sys.maxsize


def _pages(journal: Journal, limit: int) -> Iterator[Page]:
    for run in reversed(journal.runs(limit)):
        events = tuple(reversed(journal.entries(EVENTS_OF_A_RUN, run.run_id)))
        yield Page(run, events, _ended(journal, run, events))
    for entry in reversed(journal.loose(limit)):
        yield Page(None, (entry,), "")


def _ended(journal: Journal, run: Run, events: tuple[Entry, ...]) -> str:
    if run.exit_code is not None:
        return str(run.exit_code)
    if run.ended_at is not None:
        return "killed" if any(map(_tells_of_death, events)) else "-"
    if run.key:
        return "open"
    alive = journal.home is not None and run_lock.alive(journal.home, run.run_id)
    return "running" if alive else "killed"


def _tells_of_death(entry: Entry) -> bool:
    return (entry.body.get("data") or {}).get("interrupted") == "killed"


def as_json(pages: Sequence[Page]) -> dict[str, Any]:
    """One document: the runs with their events, and the events of no run, the newest last."""
    return {
        "runs": [_run_as_json(page, page.run) for page in pages if page.run],
        "events": [_entry_as_json(e) for page in pages if not page.run for e in page.events],
    }


def _run_as_json(page: Page, run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "command": run.command,
        "operation": run.operation,
        "mode": run.mode,
        "directory": run.directory,
        "opened_at": run.opened_at,
        "ended_at": run.ended_at,
        "exit_code": run.exit_code,
        "open": run.ended_at is None,
        "events": [_entry_as_json(entry) for entry in page.events],
    }


def _entry_as_json(entry: Entry) -> dict[str, Any]:
    return {
        "event_id": entry.event_id,
        "status": entry.status.value,
        "reason": _reason(entry),
        "attempts": entry.attempts,
        "put_at": entry.put_at,
        "settled_at": entry.settled_at,
        "destination": dict(entry.destination.__dict__),
        "event": entry.body,
    }


def table(pages: Iterable[Page]) -> Table:
    """A row for each event; a run without any has one of its own."""
    rows = [row for page in pages for row in _rows(page)]
    return Table(TITLES, rows, right=frozenset({"exit", "tries"}), colours=COLOURS)


def _rows(page: Page) -> Iterator[list[str]]:
    run = page.run
    about = [f"{run.command or run.operation} {run.directory}" if run else "by hand", page.ended]
    if not page.events:
        yield [_local(page.at), *about, "-", "-", "", ""]
    for entry in page.events:
        said = f"{entry.body['event_type']}{in_short(entry.body.get('metadata') or {})}"
        delivery = [entry.status.value, str(entry.attempts), _reason(entry) or ""]
        yield [_local(entry.put_at), *about, said, *delivery]


def _reason(entry: Entry) -> str | None:
    """Why it has not arrived."""
    untried = entry.status is Status.PENDING and not entry.attempts
    return why_it_waits(entry) if untried else entry.reason


def _local(at: str) -> str:
    """A time as the reader's clock shows it."""
    seconds = calendar.timegm(time.strptime(at[:19], "%Y-%m-%dT%H:%M:%S"))
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
