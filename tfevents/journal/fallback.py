"""The journal's stand-in, for when home can't be written: one in the temporary directory."""

from __future__ import annotations

import os

from tfevents.errors import JournalUnavailable
from tfevents.journal import run_lock
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
    """A journal in the temporary directory. Raises JournalUnavailable."""
    try:
        return open_journal(run_lock.find_fallback_home())
    except OSError as error:
        raise JournalUnavailable(f"nor can {error.filename} be used: {error.strerror}") from None


def bring_home(journal: Journal) -> int:
    """Moves what the spare journal took in while home could not be written; gives how many events.

    What can't be moved stays: another time.
    """
    try:
        spare = find_spare()
        if spare is None or journal.home == spare.home:
            return 0
        try:
            return spare.hand_over(journal)
        finally:
            spare.close()
    except JournalUnavailable:
        return 0
