"""Builds events: leaves out unknown fields, cleans every text and limits the size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tfevents.events.model import Activity, Event
from tfevents.text import VALUE_BYTES, clean, clean_message

LARGEST_EVENT = 60_000
"""The most bytes of an event; the contract asks for far less than 64 KiB."""
MESSAGE = "git_commit_message"
LONGEST_NAME = 256
ENVELOPE = 64
"""Bytes for the member names `metadata` and `data` and the punctuation around them."""
LONGEST_TEXTS = (4096, 1024, 256)
"""Limits in bytes for each text, tried in this order until the event is at most LARGEST_EVENT."""


def build_event(
    activity: Activity, metadata: Mapping[str, Any], data: Mapping[str, str | None]
) -> Event:
    """The event of an activity, at most LARGEST_EVENT bytes.

    Unknown fields are left out, never sent empty. Texts are cleaned and limited in length; if the
    event is still too large, its largest fields are left out.
    """
    event = build_whole_event(activity, metadata, data)
    return event if event.size <= LARGEST_EVENT else _drop_largest_fields(event)


def build_whole_event(
    activity: Activity,
    metadata: Mapping[str, Any],
    data: Mapping[str, str | None],
    user_data: Mapping[str, str] | None = None,
) -> Event:
    """As `build_event`, but leaves out no field for its size: may be larger than LARGEST_EVENT.

    `user_data`: data that a user gave on the command line; its texts keep their line ends, and
    `data` takes precedence over it.
    """
    fields = {
        "activity_type": activity.activity_type,
        "activity_status": activity.activity_status,
        **metadata,
    }
    for max_bytes in LONGEST_TEXTS:
        cleaned_data = {
            **_clean_user_data(user_data or {}, max_bytes),
            **_clean_data(data, max_bytes),
        }
        event = Event(activity.event_type.value, _clean_metadata(fields, max_bytes), cleaned_data)
        if event.size <= LARGEST_EVENT:
            break
    return event


def _drop_largest_fields(event: Event) -> Event:
    """The event without its largest fields, first of `data`, then of `metadata`, until it fits."""
    bytes_left = LARGEST_EVENT - Event(event.event_type).size - ENVELOPE
    metadata, bytes_left = _keep_smallest(event.metadata, bytes_left)
    return Event(event.event_type, metadata, _keep_smallest(event.data, bytes_left)[0])


def _keep_smallest(fields: Mapping[str, Any], bytes_left: int) -> tuple[dict[str, Any], int]:
    """The smallest fields that fit into `bytes_left`, and the bytes left (0 if not all fit)."""
    sizes = {name: len(json.dumps({name: value})) for name, value in fields.items()}
    kept = set()
    for name in sorted(sizes, key=sizes.__getitem__):
        bytes_left -= sizes[name]
        if bytes_left < 0:
            return {n: v for n, v in fields.items() if n in kept}, 0
        kept.add(name)
    return dict(fields), bytes_left


def _clean_metadata(fields: Mapping[str, Any], max_bytes: int) -> dict[str, Any]:
    """The known fields, cleaned; texts above `max_bytes` are dropped, a commit message is cut."""
    message = clean_message(fields.get(MESSAGE), max_bytes)
    return _drop_empty({**_clean_deep(fields, min(max_bytes, VALUE_BYTES)), MESSAGE: message})


def _clean_data(fields: Mapping[str, str | None], max_bytes: int) -> dict[str, str]:
    """The known fields, cleaned; texts above `max_bytes` are dropped."""
    return _drop_empty(_clean_deep(fields, min(max_bytes, VALUE_BYTES)))


def _clean_user_data(fields: Mapping[str, str], max_bytes: int) -> dict[str, str]:
    """A user's fields, cleaned. Each text keeps its line ends and is cut to `max_bytes`."""
    names = ((clean(name, LONGEST_NAME), text) for name, text in fields.items())
    return _drop_empty({name: clean_message(text, max_bytes) for name, text in names if name})


def _clean_deep(value: Any, max_bytes: int) -> Any:
    """`value` with all texts at any depth cleaned to one line; those above `max_bytes` dropped."""
    if isinstance(value, str):
        return clean(value, max_bytes)
    if isinstance(value, Mapping):
        return _drop_empty(
            {clean(name, LONGEST_NAME): _clean_deep(v, max_bytes) for name, v in value.items()}
        )
    return [_clean_deep(v, max_bytes) for v in value] if isinstance(value, list) else value


def _drop_empty(fields: Mapping[Any, Any]) -> dict[Any, Any]:
    return {name: v for name, v in fields.items() if name and v not in (None, "", {})}
