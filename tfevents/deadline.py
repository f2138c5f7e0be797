"""The one deadline of a run's report: asking, storing and delivering share it (design §3, §9)."""

from __future__ import annotations

import time


class Budget:
    """How long what is left to do may take; whoever waits for it may make it shorter.

    `renewed`: it is patience, and begins anew with each event that is settled.
    """

    def __init__(self, seconds: float, *, renewed: bool = False) -> None:
        self._end = time.monotonic() + seconds
        self._patience = seconds if renewed else None

    @property
    def left(self) -> float:
        """Seconds, never negative."""
        return max(0.0, self._end - time.monotonic())

    def limit(self, seconds: float) -> None:
        """At most this long from now on; a signal handler may call it."""
        self._end = min(self._end, time.monotonic() + seconds)

    def renew(self) -> None:
        """An event is settled."""
        if self._patience is not None:
            self._end = time.monotonic() + self._patience

    def rest(self, seconds: float) -> None:
        """Sleeps, but not beyond the budget."""
        until = time.monotonic() + seconds
        while (wait := min(until - time.monotonic(), self.left)) > 0:
            time.sleep(min(0.05, wait))
