"""A fact that is being found while something else goes on."""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` is slow to wake
    from collections.abc import Callable
    from typing import Generic, TypeVar

    T = TypeVar("T")
else:
    T, Generic = None, {None: object}


def log(what: str, error: Exception, *, trace: bool = False) -> None:
    """What went wrong, for who wants to know; the text may hold what nobody should."""
    import logging  # slow to wake, and rarely wanted

    logging.getLogger("tfevents").info("%s: %s", what, type(error).__name__, exc_info=trace)


class Later(Generic[T]):
    """Starts at once, in the background; `result` waits. A failure costs the fact, not the run."""

    def __init__(self, find: Callable[[], T | None], name: str) -> None:
        self._find, self._name = find, name
        self._found: T | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._found = self._find()
        except Exception as error:  # one of the two broad ones: an optional fact
            log(f"{self._name} could not be found", error)

    def result(self) -> T | None:
        """The fact, or None where it could not be found."""
        self._thread.join()
        return self._found

    def within(self, seconds: float) -> T | None:
        """The same, where it is found in time."""
        self._thread.join(seconds)
        return self._found
