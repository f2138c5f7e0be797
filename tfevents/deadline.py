"""The deadline that collecting facts, storing events and delivering them share."""

from __future__ import annotations

import threading
import time


class Deadline:
    """A point in time by which work must end; `limit` can shorten it while the work goes on.

    `seconds`: from now. `parent`: a deadline that this one never exceeds. `renewed`: `renew` starts
    the `seconds` again, so that the deadline limits the time without progress.
    """

    def __init__(
        self, seconds: float, *, parent: Deadline | None = None, renewed: bool = False
    ) -> None:
        self._end, self._parent = time.monotonic() + seconds, parent
        self._renewal_seconds = seconds if renewed else None

    @property
    def seconds_left(self) -> float:
        """The seconds that are left, never negative."""
        left = max(0.0, self._end - time.monotonic())
        return left if self._parent is None else min(left, self._parent.seconds_left)

    def part(self, share: float) -> Deadline:
        """A deadline after the given share (0 to 1) of the time that is left."""
        return Deadline(self.seconds_left * share, parent=self)

    def limit(self, seconds: float) -> None:
        """Shortens the deadline to at most `seconds` from now. Safe to call in a signal handler."""
        self._end = min(self._end, time.monotonic() + seconds)

    def renew(self) -> None:
        """Restarts the time after an event was delivered or refused; only if `renewed` is set."""
        if self._renewal_seconds is not None:
            self._end = time.monotonic() + self._renewal_seconds

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Waits for `event`, at most `seconds` and not beyond the deadline; whether it is set.

        Wakes up every 50 ms, so that `limit` takes effect during the wait.
        """
        until = time.monotonic() + seconds
        while not event.is_set() and (left := min(until - time.monotonic(), self.seconds_left)) > 0:
            event.wait(min(0.05, left))
        return event.is_set()

    def sleep(self, seconds: float) -> None:
        """Sleeps for `seconds`, but not beyond the deadline."""
        until = time.monotonic() + seconds
        while (wait := min(until - time.monotonic(), self.seconds_left)) > 0:
            time.sleep(min(0.05, wait))
