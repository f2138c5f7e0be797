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
            import logging

            log = logging.getLogger(__name__)
            log.info("%s could not be found: %s", self._name, type(error).__name__)

    def result(self) -> T | None:
        """The fact, or None where it could not be found."""
        self._thread.join()
        return self._found
