"""Converts rows of the journal to records and back, and selects events by status and queue.

Damaged rows are rejected one by one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import asdict, astuple

from tfevents.errors import UnreadableRow
from tfevents.journal.database import Row, list_marks
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
from tfevents.settings.environment import MAX_LENGTHS

RUN = "run_id, key, command, operation, mode, directory, opened_at, ended_at, exit_code, base"
QUEUE = "account, org, project, workspace, directory, tf_workspace"
EVENT = f"event_id, run_id, {QUEUE}, body, status, reason, attempts, put_at, settled_at, given"
"""Columns are selected by name, as a later version that shares this home may have added some."""
DESTINATION_COLUMNS = ("account", "org", "project", "workspace")
OPTIONAL = ("reason", "settled_at", "given", "directory", "tf_workspace")
END_OF_KNOWN_RUN = """(run_id) do update set ended_at = excluded.ended_at,
    exit_code = excluded.exit_code where runs.ended_at is null
    or runs.exit_code is null and excluded.exit_code is not null"""
"""The action `on conflict` for a run that both journals have: completes its end and exit code."""
COUNTS = ("resource_counts", "drift_counts")
LONGEST_REASON = 1000
"""The most characters of a stored reason; a reason may quote a setting of any length."""
LONGEST_NAME = max(MAX_LENGTHS.values())
LONGEST_TEXT, LARGEST_DOCUMENT = 16_384, 1 << 20
"""The most characters of an identifier, any other text and a document; more means damage."""
REPLACED = "\ufffd"
"""What invalid UTF-8 becomes when text is read; no identifier contains it."""


def parse_run(row: Row) -> Run:
    """Parses a run's row. Raises UnreadableRow."""
    fields = {name: row[name] for name in RUN.split(", ")}
    try:
        base = _parse_document(fields["base"] or "{}")
        _check_texts(fields[name] for name in ("run_id", "operation", "mode", "directory"))
        _check_optional(fields[name] for name in ("key", "command", "ended_at"))
        _check_time(fields["opened_at"])
        if not isinstance(fields["exit_code"] or 0, int):
            raise ValueError
        _check_base(base)
    except (ValueError, TypeError, AttributeError, RecursionError):
        name = str(fields["run_id"])[:40]
        raise UnreadableRow(f"run {name} of the journal can't be read") from None
    return Run(**{**fields, "base": base})


def _parse_document(text: str) -> Any:
    if len(text) > LARGEST_DOCUMENT:
        raise ValueError
    return json.loads(text)


def _check_base(base: Any) -> None:
    """Checks the data for the end event of an abandoned run. Raises ValueError or the like."""
    texts = {**base.get("destination", {}), **base.get("data", {})}
    _check_optional([*texts.values(), base.get("directory"), base.get("waits")])
    Destination(**base.get("destination", {}))
    if not isinstance(base.get("metadata", {}), dict):
        raise ValueError


def parse_event(row: Row) -> StoredEvent:
    """Parses an event's row. Raises UnreadableRow."""
    try:
        body = _parse_document(row["body"])
        _check_body(body)
        _check_texts(row[name] for name in ("event_id", "run_id"))
        if REPLACED in row["event_id"]:  # no update would find its row: it would be sent for ever
            raise ValueError
        _check_optional(row[name] for name in OPTIONAL)
        if not isinstance(row["attempts"], int):
            raise ValueError
        _check_time(row["put_at"])
        return StoredEvent(
            seq=row["seq"],
            event_id=row["event_id"],
            run_id=row["run_id"],
            destination=_parse_destination(row),
            body=body,
            put_at=row["put_at"],
            settled_at=row["settled_at"],
            directory=row["directory"],
            tf_workspace=row["tf_workspace"],
            given=tuple(
                name for name in DESTINATION_COLUMNS if name in (row["given"] or "").split()
            ),
            **asdict(parse_state(row)),
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise UnreadableRow(f"event {row['seq']} of the journal can't be read") from None


def _check_body(body: Any) -> None:
    """Checks the parts of an event's body that showing and sending rely on."""
    metadata = body.get("metadata") or {}
    counts = [metadata.get(name) or {} for name in COUNTS]
    numbers = [number for found in counts for number in found.values()]
    _check_texts([body.get("event_type")])
    if not isinstance(body.get("data") or {}, dict):
        raise ValueError
    if not all(isinstance(number, int) for number in numbers):
        raise ValueError


def _check_texts(values: Iterable[Any]) -> None:
    if not all(isinstance(value, str) and len(value) <= LONGEST_TEXT for value in values):
        raise ValueError


def _check_optional(values: Iterable[Any]) -> None:
    _check_texts(value for value in values if value is not None)


def _check_time(text: Any) -> None:
    _check_texts([text])
    time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")


def parse_state(row: Row) -> EventState:
    """An event's delivery status; an unknown one, of a later version, counts as refused."""
    known = row["status"] in {status.value for status in Status}
    status = Status(row["status"]) if known else Status.REFUSED
    attempts = row["attempts"]
    return EventState(status, row["reason"], attempts if isinstance(attempts, int) else 0)


def parse_queue(row: Row) -> Queue:
    """The queue of an event's row. Raises UnreadableRow, without a message."""
    try:
        _check_optional([row["directory"], row["tf_workspace"]])
        return queue_of(_parse_destination(row), row["directory"], row["tf_workspace"])
    except ValueError:
        raise UnreadableRow from None


def _parse_destination(row: Row) -> Destination:
    values = [row[name] for name in DESTINATION_COLUMNS]
    _check_optional(values)
    if any(REPLACED in (name or "") or len(name or "") > LONGEST_NAME for name in values):
        raise ValueError
    return Destination(*values)


def match_states(refused: bool) -> tuple[str, list[Any]]:
    """The SQL condition and its values for pending (`refused`: or refused) events."""
    states = [Status.PENDING.value, *([Status.REFUSED.value] if refused else [])]
    return f"status in ({list_marks(states)})", states


def match_queue(queue: Queue, refused: bool) -> tuple[str, list[Any]]:
    """The SQL condition and its values for a queue's events, to match the index events_queue."""
    names, values = list(DESTINATION_COLUMNS), list(astuple(queue.destination))
    if queue.destination.missing():
        names += ["directory", "tf_workspace"]
        values += [queue.directory, queue.tf_workspace]
    condition, states = match_states(refused)
    return " and ".join([*(f"{name} is ?" for name in names), condition]), [*values, *states]


def name_destination(row: Row) -> tuple[Any, ...]:
    """The values of an event's DESTINATION_COLUMNS, valid or not."""
    return tuple(row[name] for name in DESTINATION_COLUMNS)


def write_run(run: Run) -> dict[str, Any]:
    """The columns of a run's row, by name."""
    return {
        **{name: getattr(run, name) for name in RUN.split(", ")},
        "directory": as_text(run.directory),
        "base": _encode_json(_cut_base(run.base or {})),
    }


def _cut_base(base: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**base, "waits": cut_reason(base["waits"])} if base.get("waits") else base


def cut_reason(reason: str | None) -> str | None:
    """A reason as it is stored: at most LONGEST_REASON characters; None if there is none."""
    return as_text(reason or "")[:LONGEST_REASON] or None


def write_event(event: NewEvent) -> dict[str, Any]:
    """The columns of a new event's row, by name."""
    return {
        "event_id": event.event_id,
        "run_id": event.run_id,
        **asdict(event.destination),
        "directory": event.directory,
        "tf_workspace": event.tf_workspace,
        "body": _encode_json(event.body),
        "status": Status.PENDING.value,
        "reason": cut_reason(event.reason),
        "put_at": now(),
    }


def _encode_json(value: Any) -> str:
    return as_text(json.dumps(value, ensure_ascii=False))
