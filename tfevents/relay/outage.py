"""Detects outages of the server upstream; during one, only one request at a time tests whether it
has ended."""

from __future__ import annotations

import threading
import time

from tfevents.delivery.sender import choose_pause
from tfevents.errors import DeliveryError, Refused, Unauthorized, Unreachable
from tfevents.terminal import print_line

OUTAGE_FAILURES = 3
"""Failed requests in a row that are an outage, rather than a problem of one workspace."""


class Outage:
    """State that all sender threads of a relay share: recent failures and requests in progress."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = self._in_progress = 0
        self._until = 0.0

    def allow_request(self) -> bool:
        """Whether a request may be sent now; if so, it counts as in progress until `end_request` is
        called.

        During an outage only one request is allowed at a time, after a growing pause.
        """
        with self._lock:
            in_outage = self._failures >= OUTAGE_FAILURES
            if in_outage and (self._in_progress or time.monotonic() < self._until):
                return False
            self._in_progress += 1
            return True

    def end_request(self) -> None:
        """Ends the request that `allow_request` allowed, also if none was sent."""
        with self._lock:
            self._in_progress -= 1

    def record_result(self, error: DeliveryError | None) -> None:
        """Records the result of a request; None: delivered.

        Every error counts as a failure, unless it is an answer for this event, key or workspace.
        Prints a line when an outage begins and when it ends.
        """
        failed = error is not None and not _is_answer(error)
        with self._lock:
            before, self._failures = self._failures, self._failures + 1 if failed else 0
            if self._failures >= OUTAGE_FAILURES:
                self._until = time.monotonic() + choose_pause(self._failures - OUTAGE_FAILURES + 1)
        if before < OUTAGE_FAILURES <= self._failures:
            print_line(f"events wait: {error}")
        elif before >= OUTAGE_FAILURES > self._failures:
            print_line("events are delivered again")


def _is_answer(error: DeliveryError) -> bool:
    """Whether the server works, although it did not take this event: it refused the event or the
    key, or the workspace is locked."""
    locked = isinstance(error, Unreachable) and error.locked
    return locked or isinstance(error, (Refused, Unauthorized))
