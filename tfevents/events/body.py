"""An event's body: what is known, every text in it cleaned, the whole bounded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tfevents.events.model import Activity, Event
from tfevents.text import VALUE_BYTES, clean, clean_message

LARGEST = 60_000
"""Bytes of an event; the contract wants it far under 64 KiB."""
MESSAGE = "git_commit_message"
LONGEST_NAME = 256
ENVELOPE = 64
"""Bytes for the names `metadata` and `data`, and what stands around them."""
LONGEST_TEXTS = (4096, 1024, 256)
"""Bytes of each text in it; the shorter, where the event would be larger than LARGEST."""


def build_event(
    activity: Activity, metadata: Mapping[str, Any], data: Mapping[str, str | None]
) -> Event:
    """The event of an activity: unknown fields are left out, never empty.

    Every text is cleaned and bounded, and so is the whole, whatever our own finding is made of:
    what is too much is left out.
    """
    event = build_whole_event(activity, metadata, data)
    return event if event.size <= LARGEST else _leave_out(event)


def build_whole_event(
    activity: Activity,
    metadata: Mapping[str, Any],
    data: Mapping[str, str | None],
    told: Mapping[str, str] | None = None,
) -> Event:
    """The same with nothing left out, so that it may be larger than LARGEST.

    `told`: what somebody tells by hand, which keeps its lines; `data` is stronger.
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
    """An event without what makes it larger than LARGEST: the largest of its fields, first of
    `data`, then of `metadata`."""
    left = LARGEST - Event(event.event_type).size - ENVELOPE
    metadata, left = _keep_smallest(event.metadata, left)
    return Event(event.event_type, metadata, _keep_smallest(event.data, left)[0])


def _keep_smallest(fields: Mapping[str, Any], left: int) -> tuple[dict[str, Any], int]:
    """As many of them as `left` bytes hold, and how many bytes are left then."""
    sizes = {name: len(json.dumps({name: value})) for name, value in fields.items()}
    kept = set()
    for name in sorted(sizes, key=sizes.__getitem__):
        left -= sizes[name]
        if left < 0:
            return {n: v for n, v in fields.items() if n in kept}, 0
        kept.add(name)
    return dict(fields), left


def _metadata(fields: Mapping[str, Any], most: int) -> dict[str, Any]:
    """What is known of them; a text of more than `most` bytes is no fact, but for a message."""
    message = clean_message(fields.get(MESSAGE), most)
    return _filled({**_cleaned(fields, min(most, VALUE_BYTES)), MESSAGE: message})


def _data(fields: Mapping[str, str | None], most: int) -> dict[str, str]:
    """A text of more than `most` bytes is no fact here, either."""
    return _filled(_cleaned(fields, min(most, VALUE_BYTES)))


def _user_data(fields: Mapping[str, str], most: int) -> dict[str, str]:
    """With its lines; each is cut at `most` bytes."""
    names = ((clean(name, LONGEST_NAME), text) for name, text in fields.items())
    return _filled({name: clean_message(text, most) for name, text in names if name})


def _cleaned(value: Any, most: int) -> Any:
    """`value` with every text in it as one printable line, however deep."""
    if isinstance(value, str):
        return clean(value, most)
    if isinstance(value, Mapping):
        return _filled({clean(name, LONGEST_NAME): _cleaned(v, most) for name, v in value.items()})
    return [_cleaned(v, most) for v in value] if isinstance(value, list) else value


def _filled(fields: Mapping[Any, Any]) -> dict[Any, Any]:
    return {name: v for name, v in fields.items() if name and v not in (None, "", {})}
