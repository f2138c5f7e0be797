"""Builds events: leaves out unknown fields, cleans every text and limits the size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tfevents.events.model import Activity, Event
from tfevents.text import VALUE_BYTES, clean, clean_message

LARGEST = 60_000
"""The most bytes of an event; the contract asks for far less than 64 KiB."""
MESSAGE = "git_commit_message"
LONGEST_NAME = 256
ENVELOPE = 64
"""Bytes for the member names `metadata` and `data` and the punctuation around them."""
LONGEST_TEXTS = (4096, 1024, 256)
"""Limits in bytes for each text, tried in this order until the event is at most LARGEST."""


def build_event(
    activity: Activity, metadata: Mapping[str, Any], data: Mapping[str, str | None]
) -> Event:
    """The event of an activity, at most LARGEST bytes.

    Unknown fields are left out, never sent empty. Texts are cleaned and limited in length; if the
    event is still too large, its largest fields are left out.
    """
    event = build_whole_event(activity, metadata, data)
    return event if event.size <= LARGEST else _leave_out(event)


def build_whole_event(
    activity: Activity,
    metadata: Mapping[str, Any],
    data: Mapping[str, str | None],
    told: Mapping[str, str] | None = None,
) -> Event:
    """As `build_event`, but leaves out no field for its size: may be larger than LARGEST.

    `told`: data that a user gave on the command line; its texts keep their line ends, and `data`
    takes precedence over it.
    """
    about = {
        "activity_type": activity.activity_type,
        "activity_status": activity.activity_status,
        **metadata,
    }
    for most in LONGEST_TEXTS:
        whole = {**_user_data(told or {}, most), **_data(data, most)}
        event = Event(activity.event_type.value, _metadata(about, most), whole)
        if event.size <= LARGEST:
            break
    return event


def _leave_out(event: Event) -> Event:
    """The event without its largest fields, first of `data`, then of `metadata`, until it fits."""
    left = LARGEST - Event(event.event_type).size - ENVELOPE
    metadata, left = _keep_smallest(event.metadata, left)
    return Event(event.event_type, metadata, _keep_smallest(event.data, left)[0])


def _keep_smallest(fields: Mapping[str, Any], left: int) -> tuple[dict[str, Any], int]:
    """The smallest fields that fit into `left` bytes, and the bytes left (0 if not all fit)."""
    sizes = {name: len(json.dumps({name: value})) for name, value in fields.items()}
    kept = set()
    for name in sorted(sizes, key=sizes.__getitem__):
        left -= sizes[name]
        if left < 0:
            return {n: v for n, v in fields.items() if n in kept}, 0
        kept.add(name)
    return dict(fields), left


def _metadata(fields: Mapping[str, Any], most: int) -> dict[str, Any]:
    """The known fields, cleaned; texts above `most` bytes are dropped, a commit message is cut."""
    message = clean_message(fields.get(MESSAGE), most)
    return _filled({**_cleaned(fields, min(most, VALUE_BYTES)), MESSAGE: message})


def _data(fields: Mapping[str, str | None], most: int) -> dict[str, str]:
    """The known fields, cleaned; texts above `most` bytes are dropped."""
    return _filled(_cleaned(fields, min(most, VALUE_BYTES)))


def _user_data(fields: Mapping[str, str], most: int) -> dict[str, str]:
    """A user's fields, cleaned. Each text keeps its line ends and is cut to `most` bytes."""
    names = ((clean(name, LONGEST_NAME), text) for name, text in fields.items())
    return _filled({name: clean_message(text, most) for name, text in names if name})


def _cleaned(value: Any, most: int) -> Any:
    """`value` with all texts at any depth cleaned to one line; those above `most` bytes dropped."""
    if isinstance(value, str):
        return clean(value, most)
    if isinstance(value, Mapping):
        return _filled({clean(name, LONGEST_NAME): _cleaned(v, most) for name, v in value.items()})
    return [_cleaned(v, most) for v in value] if isinstance(value, list) else value


def _filled(fields: Mapping[Any, Any]) -> dict[Any, Any]:
    return {name: v for name, v in fields.items() if name and v not in (None, "", {})}
