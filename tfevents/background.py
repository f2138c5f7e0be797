"""A fact that is being found while something else goes on."""

from __future__ import annotations

from _thread import allocate_lock, start_new_thread  # `threading` is slow to wake

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


def attempt(find: Callable[[], T | None], name: str) -> T | None:
    """A fact, or None where it could not be found: a failure costs the fact, not the run."""
    try:
        return find()
    except Exception as error:  # one of the two broad ones: an optional fact
        log(f"{name} could not be found", error)
        return None


class Gate:
    """Closed until it is opened, for good; whoever waits at it goes on then."""

    def __init__(self) -> None:
        self._closed, self._lock = True, allocate_lock()
        self._lock.acquire()

    def open(self) -> None:
        """Called by one thread only, however often."""
        if self._closed:
            self._closed = False
            self._lock.release()

    def wait(self, seconds: float = -1) -> bool:
        """Whether it is open, after that time at the latest; -1 is for ever."""
        opened = self._lock.acquire(timeout=seconds)
        if opened:
            self._lock.release()
        return opened


class Later(Generic[T]):
    """Starts at once, in the background, as `attempt`; `result` waits."""

    def __init__(self, find: Callable[[], T | None], name: str) -> None:
        self._find, self._name = find, name
        self._found: T | None = None
        self._over = Gate()
        start_new_thread(self._run, ())

    def _run(self) -> None:
        try:
            self._found = attempt(self._find, self._name)
        finally:
            self._over.open()

    @property
    def over(self) -> bool:
        """Whether there is nothing to wait for any more."""
        return self._over.wait(0)

    def result(self) -> T | None:
        """The fact, or None where it could not be found."""
        self._over.wait()
        return self._found

    def within(self, seconds: float) -> T | None:
        """The same, where it is found in time."""
        self._over.wait(seconds)
        return self._found
