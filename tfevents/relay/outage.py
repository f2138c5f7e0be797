"""Whether the server upstream is away: then one request at a time asks whether it is back."""

from __future__ import annotations

import threading
import time

from tfevents.delivery.sender import choose_pause
from tfevents.errors import DeliveryError, Refused, Unauthorized
from tfevents.terminal import print_line

MANY = 3
"""Requests in a row that failed: it is not one workspace's business."""


class Outage:
    """What all threads of a relay have met lately."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._missed = self._under_way = 0
        self._until = 0.0

    def begin(self) -> bool:
        """Whether something may be tried now, which is then under way."""
        with self._lock:
            away = self._missed >= MANY
            if away and (self._under_way or time.monotonic() < self._until):
                return False
            self._under_way += 1
            return True

    def end(self) -> None:
        """It is over, whatever came of it."""
        with self._lock:
            self._under_way -= 1

    def note(self, error: DeliveryError | None) -> None:
        """What a request ended with."""
        missed = error is not None and not isinstance(error, (Refused, Unauthorized))
        with self._lock:
            before, self._missed = self._missed, self._missed + 1 if missed else 0
            if self._missed >= MANY:
                self._until = time.monotonic() + choose_pause(self._missed - MANY + 1)
        if before < MANY <= self._missed:
            print_line(f"events wait: {error}")
        elif before >= MANY > self._missed:
            print_line("events are delivered again")
