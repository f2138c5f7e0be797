"""An event's body: what is known, every text in it cleaned, the whole bounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfevents.events.model import Activity, Event
from tfevents.text import VALUE_BYTES, clean, clean_message

LARGEST = 60_000
"""Bytes of an event; the contract wants it far under 64 KiB."""
MESSAGE = "git_commit_message"
LONGEST_NAME = 256
LONGEST_TEXTS = (4096, 1024, 256)
"""Bytes of each text in it; the shorter, where the event would be larger than LARGEST."""


def build_event(
    activity: Activity, metadata: Mapping[str, Any], data: Mapping[str, str | None]
) -> Event:
    """The event of an activity: unknown fields are left out, never empty.

    Every text is cleaned and bounded, and so is the whole, whatever our own finding is made of.
    """
    about = {
        "activity_type": activity.activity_type,
        "activity_status": activity.activity_status,
        **metadata,
    }
    for most in LONGEST_TEXTS:
        event = Event(activity.event_type.value, _metadata(about, most), _data(data, most))
        if event.size <= LARGEST:
            break
    return event


def _metadata(fields: Mapping[str, Any], most: int) -> dict[str, Any]:
    """What is known of them; a text of more than `most` bytes is no fact, but for a message."""
    message = clean_message(fields.get(MESSAGE), most)
    return _filled({**_cleaned(fields, min(most, VALUE_BYTES)), MESSAGE: message})


def _data(fields: Mapping[str, str | None], most: int) -> dict[str, str]:
    """Also what somebody tells by hand, with its lines; each is cut at `most` bytes."""
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
