"""A row of the journal ↔ a record; a row that can't be read costs itself alone."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict

from tfevents.errors import UnreadableRow
from tfevents.journal.database import Row
from tfevents.journal.models import (
    Destination,
    EventState,
    NewEvent,
    Queue,
    Run,
    Status,
    StoredEvent,
    as_text,
    now,
    queue_of,
)

RUN = "run_id, key, command, operation, mode, directory, opened_at, ended_at, exit_code, base"
QUEUE = "account, org, project, workspace, directory, tf_workspace"
EVENT = f"event_id, run_id, {QUEUE}, body, status, reason, attempts, put_at, settled_at, given"
"""By name: a later version that shares this home may have added columns."""
WHOSE = ("account", "org", "project", "workspace")
OPTIONAL = ("reason", "settled_at", "given")
COUNTS = ("resource_counts", "drift_counts")


def parse_run(row: Row) -> Run:
    """A run. Raises UnreadableRow."""
    fields = {name: row[name] for name in RUN.split(", ")}
    try:
        base = json.loads(fields["base"] or "{}")
        _check_texts(fields, "run_id", "operation", "mode", "directory")
        _check_time(fields["opened_at"])
        _check_base(base)
    except (ValueError, TypeError, RecursionError):
        raise UnreadableRow(f"run {fields['run_id']} of the journal can't be read") from None
    return Run(**{**fields, "base": base})


def _check_base(base: Any) -> None:
    parts = [base, *(base.get(name, {}) for name in ("metadata", "data", "destination"))]
    if not all(isinstance(part, dict) for part in parts):
        raise ValueError
    Destination(**base.get("destination", {}))


def parse_event(row: Row) -> StoredEvent:
    """An event. Raises UnreadableRow."""
    try:
        body = json.loads(row["body"])
        _check_body(body)
        _check_texts(row, "event_id", "run_id")
        _check_texts({n: row[n] or "" for n in OPTIONAL}, *OPTIONAL)
        if not isinstance(row["attempts"], int):
            raise ValueError
        _check_time(row["put_at"])
        return StoredEvent(
            seq=row["seq"],
            event_id=row["event_id"],
            run_id=row["run_id"],
            destination=_destination(row),
            body=body,
            put_at=row["put_at"],
            settled_at=row["settled_at"],
            directory=_text(row["directory"]),
            tf_workspace=_text(row["tf_workspace"]),
            given=tuple((row["given"] or "").split()),
            **asdict(parse_state(row)),
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise UnreadableRow(f"event {row['seq']} of the journal can't be read") from None


def _check_body(body: Any) -> None:
    """What is asked of every event when it is shown and sent."""
    metadata = body.get("metadata") or {}
    counts = [metadata.get(name) or {} for name in COUNTS]
    numbers = [number for found in counts for number in found.values()]
    if not isinstance(body.get("event_type"), str) or not isinstance(body.get("data") or {}, dict):
        raise ValueError
    if not all(isinstance(number, int) for number in numbers):
        raise ValueError


def _check_texts(row: Row | Mapping[str, Any], *names: str) -> None:
    if not all(isinstance(row[name], str) for name in names):
        raise ValueError


def _check_time(text: str) -> None:
    time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")


def parse_state(row: Row) -> EventState:
    """What became of an event; a status of a later version is none that is sent again."""
    known = row["status"] in {status.value for status in Status}
    status = Status(row["status"]) if known else Status.REFUSED
    attempts = row["attempts"]
    return EventState(status, row["reason"], attempts if isinstance(attempts, int) else 0)


def parse_queue(row: Row) -> Queue:
    """The queue of an event's row."""
    return queue_of(_destination(row), _text(row["directory"]), _text(row["tf_workspace"]))


def _destination(row: Row) -> Destination:
    return Destination(*(_text(row[name]) for name in WHOSE))


def _text(value: Any) -> str | None:
    """Bytes are what a damaged page may hold."""
    return value if isinstance(value, str) else None


def write_run(run: Run) -> dict[str, Any]:
    """A run's columns."""
    return {
        **{name: getattr(run, name) for name in RUN.split(", ")},
        "directory": as_text(run.directory),
        "base": _json(run.base or {}),
    }


def write_event(event: NewEvent) -> dict[str, Any]:
    """A new event's columns."""
    return {
        "event_id": event.event_id,
        "run_id": event.run_id,
        **asdict(event.destination),
        "directory": event.directory,
        "tf_workspace": event.tf_workspace,
        "body": _json(event.body),
        "status": Status.PENDING.value,
        "reason": as_text(event.reason or "") or None,
        "put_at": now(),
    }


def _json(value: Any) -> str:
    return as_text(json.dumps(value, ensure_ascii=False))
