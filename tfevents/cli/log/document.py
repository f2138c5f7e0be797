"""Makes the JSON document that `log --json` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import asdict

from tfevents.journal.history import HistoryItem
from tfevents.journal.models import Run, StoredEvent


def make_document(items: Sequence[HistoryItem]) -> dict[str, Any]:
    """The document: runs with their events, and events that belong to no run."""
    return {
        "runs": [make_entry(item) for item in items if item.run],
        "events": [make_entry(item) for item in items if not item.run],
    }


def make_entry(item: HistoryItem) -> dict[str, Any]:
    """A run with its events, or an event that was sent by hand, as a JSON object."""
    return _make_run(item, item.run) if item.run else _make_event(item.events[0])


def _make_run(item: HistoryItem, run: Run) -> dict[str, Any]:
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
        "events": [_make_event(event) for event in item.events],
    }


def _make_event(event: StoredEvent) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "status": event.status.value,
        "reason": event.reason,
        "attempts": event.attempts,
        "put_at": event.put_at,
        "settled_at": event.settled_at,
        "destination": asdict(event.destination),
        "event": event.body,
    }
