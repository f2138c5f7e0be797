"""The time as the database keeps it: of all relays that share one, so it is the calendar's."""

from __future__ import annotations

import time


def now() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)
