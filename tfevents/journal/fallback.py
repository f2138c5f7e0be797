"""Where events are kept, whatever breaks: the journal, else one in the temporary directory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Concatenate, ParamSpec

from tfevents.errors import JournalUnavailable
from tfevents.journal.fallback_home import find_fallback_home
from tfevents.journal.journal import Journal, open_journal
from tfevents.journal.models import Queue, StoredEvent

P = ParamSpec("P")


def find_fallback() -> Journal | None:
    """The fallback, if it was ever needed. Raises JournalUnavailable."""
    try:
        place = find_fallback_home(make=False)
        os.stat(os.path.join(place, "journal.db"))
    except OSError:
        return None
    return open_journal(place)


def open_fallback() -> Journal:
    """A journal in the temporary directory. Raises JournalUnavailable."""
    try:
        return open_journal(find_fallback_home())
    except OSError as error:
        raise JournalUnavailable(f"nor can {error.filename} be used: {error.strerror}") from None


def merge_fallback(journal: Journal) -> int:
    """Moves what the fallback took in while home could not be written; gives how many events.

    What can't be moved stays: another time.
    """
    try:
        fallback = find_fallback()
        if fallback is None or journal.home == fallback.home:
            return 0
        try:
            return fallback.hand_over(journal)
        finally:
            fallback.close()
    except JournalUnavailable:
        return 0


def find_beside(journal: Journal) -> Journal | None:
    """The fallback, where there is one, and it is another."""
    with suppress(JournalUnavailable):
        fallback = find_fallback()
        return fallback if fallback and fallback.home != journal.home else None
    return None


def describe_first(journal: Journal) -> str:
    """Why nothing is sent from another journal: what is in this one is older."""
    return f"what waits in {journal.home} goes first"


def open_journals(home: str) -> list[Journal]:
    """Home's, with what the fallback took in; and the fallback where there is one, which still
    holds what could not be moved. Raises JournalUnavailable where there is neither."""
    journals: list[Journal] = []
    with suppress(JournalUnavailable):
        journals.append(open_journal(home))
        merge_fallback(journals[0])
        journals += filter(None, [find_beside(journals[0])])
    return journals or [open_fallback()]


class JournalFallback:
    """The journal in use. `tell` is told what went wrong, `moved` that another journal is used."""

    def __init__(self, tell: Callable[[Exception], None], moved: Callable[[], None]) -> None:
        self._tell, self._moved = tell, moved
        self._journals: list[Journal] = []

    def open(self, home: str) -> None:
        """The journal under `home`, or what stands in for it. Raises JournalUnavailable."""
        try:
            self._journals = [open_journal(home)]
        except JournalUnavailable as error:
            self._tell(error)
            self._open_fallback()

    def _open_fallback(self) -> None:
        self._journals.append(open_fallback())
        self._tell(JournalUnavailable(f"events are kept in {self.journal.home}"))

    @property
    def journal(self) -> Journal:
        """The one in use. Raises JournalUnavailable where none could be opened yet."""
        if not self._journals:
            raise JournalUnavailable("there is no journal")
        return self._journals[-1]

    def write(
        self, write: Callable[Concatenate[Journal, P], None], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """`write` with the journal and these; where the journal can't be written (any more), the
        fallback takes it.

        Raises JournalUnavailable.
        """
        try:
            return write(self.journal, *args, **kwargs)
        except JournalUnavailable as error:
            if self._journals:
                self._tell(error)
        self._open_fallback()
        self._moved()
        return write(self.journal, *args, **kwargs)

    def waits_elsewhere(self, queues: Iterable[Queue]) -> bool:
        """Whether a journal that is not in use has something of these queues; that is told. It goes
        first: home, or the fallback where that could not be moved."""
        beside = find_beside(self.journal)
        try:
            for journal in (*self._journals[:-1], beside):
                if journal and any(journal.waiting(queue) for queue in queues):
                    self._tell(JournalUnavailable(describe_first(journal)))
                    return True
        finally:
            if beside:
                beside.close()
        return False

    def find_events(self, run_id: str) -> list[StoredEvent]:
        """A run's events, the newest first, wherever they came to be."""
        found: list[StoredEvent] = []
        for journal in reversed(self._journals):
            with suppress(JournalUnavailable):
                found += journal.find_events(run_id=run_id)
        return found

    def find_unreadable(self) -> list[str]:
        """A line for each row of theirs that could not be read."""
        return [line for journal in self._journals for line in journal.unreadable]
