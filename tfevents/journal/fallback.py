"""The journal's stand-ins, for when home can't be written: another directory, or memory."""

from __future__ import annotations

import os

from tfevents.errors import JournalUnavailable
from tfevents.journal import run_lock
from tfevents.journal.database import connect
from tfevents.journal.journal import Journal, open_journal


def find_spare() -> Journal | None:
    """The spare journal, if it was ever needed. Raises JournalUnavailable."""
    try:
        place = run_lock.find_fallback_home(make=False)
        os.stat(os.path.join(place, "journal.db"))
    except OSError:
        return None
    return open_journal(place)


def open_spare() -> Journal:
    """A journal for when home can't be written: in the temporary directory, else in memory."""
    try:
        return open_journal(run_lock.find_fallback_home())
    except (OSError, JournalUnavailable):
        return open_memory()


def open_memory() -> Journal:
    """A journal for when nothing can be written: it lasts as long as the process."""
    return Journal(connect(":memory:"), None)


def bring_home(journal: Journal) -> int:
    """Moves what the spare journal took in while home could not be written; gives how many events.

    What can't be moved stays: another time.
    """
    try:
        spare = find_spare()
        if spare is None or journal.home in (None, spare.home):
            return 0
        try:
            return spare.hand_over(journal)
        finally:
            spare.close()
    except JournalUnavailable:
        return 0
