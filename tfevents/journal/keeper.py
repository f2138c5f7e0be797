"""Where a run's events are kept, whatever breaks: the journal, else its fallback."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from tfevents.errors import JournalUnavailable
from tfevents.journal.fallback import open_spare
from tfevents.journal.journal import Journal, open_journal
from tfevents.journal.models import Entry


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
        self._journals.append(open_spare())
        self._tell(JournalUnavailable(f"events are kept in {self.journal.home}"))

    @property
    def journal(self) -> Journal:
        """The one in use. Raises JournalUnavailable where none could be opened yet."""
        if not self._journals:
            raise JournalUnavailable("there is no journal")
        return self._journals[-1]

    def write(self, write: Callable[[Journal], None]) -> None:
        """Where the journal can't be written (any more), the fallback takes it.

        Raises JournalUnavailable.
        """
        try:
            return write(self.journal)
        except JournalUnavailable as error:
            if self._journals:
                self._tell(error)
        self._open_fallback()
        self._moved()
        return write(self.journal)

    def entries(self, run_id: str) -> list[Entry]:
        """A run's events, the newest first, wherever they came to be."""
        found: list[Entry] = []
        for journal in reversed(self._journals):
            with suppress(JournalUnavailable):
                found += journal.entries(run_id=run_id)
        return found

    def unreadable(self) -> list[str]:
        """A line for each row of theirs that could not be read."""
        return [line for journal in self._journals for line in journal.unreadable]
