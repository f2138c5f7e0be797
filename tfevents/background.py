"""Work that goes on while something else does, and facts that a run can do without."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")
LOGGER = logging.getLogger("tfevents")


def log_failure(what: str, error: Exception, *, trace: bool = False) -> None:
    """Logs what went wrong; without the error's text, which may hold secrets."""
    LOGGER.info("%s: %s", what, type(error).__name__, exc_info=trace)


def optional(find: Callable[[], T | None], name: str) -> T | None:
    """What `find` returns; None where it fails, which is logged: it costs the fact, not the run."""
    try:
        return find()
    except Exception as error:  # broad on purpose: an optional fact costs only itself
        log_failure(f"{name} could not be found", error)
        return None


class BackgroundTask(Generic[T]):
    """`optional(find, name)` in a thread that starts at once; the process never waits for it."""

    def __init__(self, find: Callable[[], T | None], name: str) -> None:
        self._find, self._name = find, name
        self._found: T | None = None
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._found = optional(self._find, self._name)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return not self._thread.is_alive()

    def result(self, seconds: float | None = None) -> T | None:
        """Waits for the result, at most so many seconds; None where there is none by then."""
        self._thread.join(seconds)
        return self._found
