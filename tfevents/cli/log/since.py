"""Parses the time in `--since`, an age or a date."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from tfevents.journal.models import format_time

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
AGO = re.compile(r"([0-9]{1,9})([smhdw])")


def parse_since(text: str, now: float) -> str:
    """The time in `text` as RFC 3339 in UTC: an age such as `90m`, `2h` or `7d`, or ISO 8601.

    A time without a zone is in the local one. `now`: seconds since the epoch. Raises ValueError.
    """
    ago = AGO.fullmatch(text)
    seconds = now - int(ago[1]) * SECONDS[ago[2]] if ago else _parse_time(text)
    return format_time(max(seconds, 0))


def _parse_time(text: str) -> float:
    """Seconds since the epoch. Raises ValueError."""
    text = f"{text[:-1]}+00:00" if text.endswith("Z") else text  # Python 3.10 does not parse the Z
    try:
        return datetime.fromisoformat(text).astimezone(timezone.utc).timestamp()
    except OverflowError:
        raise ValueError(text) from None
