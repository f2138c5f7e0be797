"""Where a run's events are kept, whatever breaks: the journal, its spare, memory at last."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from tfevents.errors import JournalUnavailable
from tfevents.journal import run_lock
from tfevents.journal.fallback import open_memory, open_spare
from tfevents.journal.journal import Journal, open_journal
from tfevents.journal.models import Entry
from tfevents.journal.run_lock import RunLock


class Keeper:
    """The journal in use. `tell` is told what went wrong, `moved` that another journal is used."""

    def __init__(
        self, ours: RunLock, tell: Callable[[Exception], None], moved: Callable[[], None]
    ) -> None:
        self._ours, self._tell, self._moved = ours, tell, moved
        self._journals: list[Journal] = []
        self._substitute: RunLock | None = None

    def open(self, home: str) -> None:
        """The journal under `home`, or what stands in for it."""
        try:
            self._journals = [open_journal(home)]
        except JournalUnavailable as error:
            self._journals = [open_spare()]
            self._tell(error)
            self._tell_place()

    @property
    def journal(self) -> Journal:
        """The one in use. Raises JournalUnavailable where none could be opened yet."""
        if not self._journals:
            raise JournalUnavailable("there is no journal")
        return self._journals[-1]

    def write(self, write: Callable[[Journal], None]) -> None:
        """Where the journal can't be written (any more), another takes it, in memory at last."""
        for open_next in (open_spare, open_memory):
            try:
                return write(self.journal)
            except JournalUnavailable as error:
                if self._journals:
                    self._tell(error)
                self._journals.append(open_next())
                self._tell_place()
                self._moved()
        return write(self.journal)

    def _tell_place(self) -> None:
        home = self.journal.home
        where = f"events are kept in {home}" if home else "events are not kept"
        self._tell(JournalUnavailable(where))

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

    def owner(self) -> str:
        """Whose claims others can see: a lock in the home of the journal in use."""
        home = self.journal.home
        if home not in (None, self._ours.home):
            with suppress(OSError):
                self._substitute = run_lock.acquire(home or "", room=0)
                return self._substitute.identity
        return self._ours.identity

    def close(self) -> None:
        """Our lock elsewhere is released; the journals are closed with the process."""
        if self._substitute is not None:
            self._substitute.release()
