"""Writes the one line that says what was reported of a run, and whether it was delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfevents.events.model import EventType
from tfevents.journal.models import Status, StoredEvent


def summarise(
    entries: Sequence[StoredEvent], delivered: bool, problems: Sequence[str], reason: str
) -> str:
    """The line for a run. `entries`: its events, the newest first. `delivered`: whether all were
    delivered. `reason`: why they may not have been, if neither a problem nor an event has one."""
    if not entries:
        return "; ".join(["nothing is reported", *problems])
    run_events = [e for e in entries if e.body["event_type"] != EventType.STAGE_COMPLETE.value]
    body = (run_events or entries)[0].body
    text = f"{body['event_type']}{describe_counts(body.get('metadata', {}))}"
    if delivered and problems:
        return f"{text}, reported; {'; '.join(problems)}"
    worst = next((e for e in entries if e.status is not Status.DELIVERED), entries[0])
    tried = worst.reason if worst.attempts else None
    return text + describe_delivery(worst, "; ".join(problems) or tried or reason)


def describe_delivery(entry: StoredEvent, reason: str) -> str:
    """What became of one event, as text to append to its name."""
    if entry.status is Status.DELIVERED:
        return f", reported to Harness IaCM workspace {entry.destination.workspace}"
    verb = "refused" if entry.status is Status.REFUSED else "kept in the journal"
    return f", {verb}: {reason}"


def describe_counts(metadata: Mapping[str, Any]) -> str:
    """The counts in words, such as " (2 to add, 1 to change)"; empty if nothing was counted."""
    counts = metadata.get("resource_counts") or {}
    done = metadata.get("activity_type") in ("apply", "destroy", "import")
    words = {
        "imported": "imported" if done else "to import",
        "added": "added" if done else "to add",
        "changed": "changed" if done else "to change",
        "deleted": "destroyed" if done else "to destroy",
        "removed": "forgotten" if done else "to forget",
    }
    parts = [f"{counts[name]} {word}" for name, word in words.items() if counts.get(name)]
    drift = sum((metadata.get("drift_counts") or {}).values())
    parts += [f"{drift} drifted"] if drift else []
    return f" ({', '.join(parts)})" if parts else ""
