"""The one deadline of a run's report: asking, storing and delivering share it."""

from __future__ import annotations

import threading
import time


class Deadline:
    """How long what is left to do may take; whoever waits for it may make it shorter.

    `parent`: a part of that one, which ends with it. `renewed`: it is patience, and begins anew
    with each event that is settled.
    """

    def __init__(
        self, seconds: float, *, parent: Deadline | None = None, renewed: bool = False
    ) -> None:
        self._end, self._parent = time.monotonic() + seconds, parent
        self._patience = seconds if renewed else None

    @property
    def left(self) -> float:
        """Seconds, never negative."""
        left = max(0.0, self._end - time.monotonic())
        return left if self._parent is None else min(left, self._parent.left)

    def part(self, share: float) -> Deadline:
        """So much of what is left."""
        return Deadline(self.left * share, parent=self)

    def limit(self, seconds: float) -> None:
        """At most this long from now on; a signal handler may call it."""
        self._end = min(self._end, time.monotonic() + seconds)

    def renew(self) -> None:
        """An event is settled."""
        if self._patience is not None:
            self._end = time.monotonic() + self._patience

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Whether it comes to be within the deadline, and within so many seconds from now."""
        until = time.monotonic() + seconds
        while not event.is_set() and (left := min(until - time.monotonic(), self.left)) > 0:
            event.wait(min(0.05, left))
        return event.is_set()

    def rest(self, seconds: float) -> None:
        """Sleeps, but not beyond the deadline."""
        until = time.monotonic() + seconds
        while (wait := min(until - time.monotonic(), self.left)) > 0:
            time.sleep(min(0.05, wait))
