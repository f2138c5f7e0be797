"""Runs tasks in background threads, and finds optional facts without failing the run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")
LOGGER = logging.getLogger("tfevents")


def log_failure(what: str, error: Exception, *, trace: bool = False) -> None:
    """Logs `what` and the error's type, but not its text, which may contain secrets.

    `trace`: log the traceback, too.
    """
    LOGGER.info("%s: %s", what, type(error).__name__, exc_info=trace)


def optional(find: Callable[[], T | None], name: str) -> T | None:
    """The result of `find`; None if it raises, which is logged under `name`."""
    try:
        return find()
    except Exception as error:  # broad on purpose: a missing optional fact must not fail the run
        log_failure(f"{name} could not be found", error)
        return None


class BackgroundTask(Generic[T]):
    """Runs `optional(find, name)` in a thread that starts at once.

    The thread is a daemon: the process can exit while it runs.
    """

    def __init__(self, find: Callable[[], T | None], name: str) -> None:
        self._find, self._name = find, name
        self._found: T | None = None
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._found = optional(self._find, self._name)

    @property
    def has_ended(self) -> bool:
        """Whether the task has ended."""
        return not self._thread.is_alive()

    def result(self, seconds: float | None = None) -> T | None:
        """The result, None if there is none; waits at most `seconds` (None: without limit)."""
        self._thread.join(seconds)
        return self._found
