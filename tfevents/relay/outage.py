"""Detects outages of the server upstream; during one, only one request at a time tests whether it
has ended."""

from __future__ import annotations

import threading
import time

from tfevents.delivery.sender import choose_pause
from tfevents.errors import DeliveryError, Refused, Unauthorized
from tfevents.terminal import print_line

MANY = 3
"""Failed requests in a row that are an outage, rather than a problem of one workspace."""


class Outage:
    """State that all sender threads of a relay share: recent failures and requests in progress."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._missed = self._under_way = 0
        self._until = 0.0

    def begin(self) -> bool:
        """Whether a request may be sent now; if so, it counts as in progress until `end` is called.

        During an outage only one request is allowed at a time, after a growing pause.
        """
        with self._lock:
            away = self._missed >= MANY
            if away and (self._under_way or time.monotonic() < self._until):
                return False
            self._under_way += 1
            return True

    def end(self) -> None:
        """Ends the request that `begin` allowed, also if none was sent."""
        with self._lock:
            self._under_way -= 1

    def note(self, error: DeliveryError | None) -> None:
        """Records the result of a request; None: delivered.

        Every error but Refused and Unauthorized counts as a failure; those two are answers. Prints
        a line when an outage begins and when it ends.
        """
        missed = error is not None and not isinstance(error, (Refused, Unauthorized))
        with self._lock:
            before, self._missed = self._missed, self._missed + 1 if missed else 0
            if self._missed >= MANY:
                self._until = time.monotonic() + choose_pause(self._missed - MANY + 1)
        if before < MANY <= self._missed:
            print_line(f"events wait: {error}")
        elif before >= MANY > self._missed:
            print_line("events are delivered again")
