"""Keeps events in a fallback journal in the temporary directory if home can't be written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from typing import Concatenate, ParamSpec

from tfevents.errors import JournalUnavailable, TfeventsError
from tfevents.journal.fallback_home import find_fallback_home
from tfevents.journal.journal import Journal, open_journal
from tfevents.journal.models import Queue, StoredEvent

P = ParamSpec("P")


def find_fallback() -> Journal | None:
    """The fallback journal; None if there is none. Raises JournalUnavailable."""
    home = _find_existing_home()
    return open_journal(home) if home else None


def _find_existing_home() -> str | None:
    """The fallback home; None if it has no journal."""
    try:
        home = find_fallback_home(make=False)
        os.stat(os.path.join(home, "journal.db"))
    except OSError:
        return None
    return home


def open_fallback() -> Journal:
    """Opens the fallback journal; creates it if missing. Raises JournalUnavailable."""
    try:
        return open_journal(find_fallback_home())
    except OSError as error:
        place = f" {error.filename}" if error.filename else ""  # or there is no temporary directory
        raise JournalUnavailable(
            f"the fallback directory{place} can't be used: {error.strerror}"
        ) from None


def merge_fallback(journal: Journal) -> int:
    """Moves the fallback journal's runs and events into `journal`; returns the number of events.

    What can't be moved now stays in the fallback journal until the next call.
    """
    fallback = find_other_journal(journal.home)
    if fallback is None:
        return 0
    with closing(fallback), suppress(JournalUnavailable):
        return fallback.move_to(journal)
    return 0


def find_other_journal(home: str) -> Journal | None:
    """The fallback journal; None if there is none, if it can't be opened, or if `home` has it."""
    other = _find_existing_home()
    if other is None or other == home:
        return None
    with suppress(JournalUnavailable):
        return open_journal(other)
    return None


def describe_older_journal(journal: Journal) -> str:
    """The reason for sending nothing from another journal: this journal's events are older."""
    return f"older events in {journal.home} are sent first"


def open_journals(home: str) -> list[Journal]:
    """The home directory's journal, after `merge_fallback`, then the fallback journal if it exists.

    Only the fallback journal, created if missing, where home can't be used. Raises
    JournalUnavailable where neither can be opened.
    """
    journals: list[Journal] = []
    with suppress(JournalUnavailable):
        journals.append(open_journal(home))
        merge_fallback(journals[0])
        journals += filter(None, [find_other_journal(home)])
    return journals or [open_fallback()]


class JournalFallback:
    """The journal of a run: the home directory's, or the fallback once home can't be written.

    `on_problem` is called with each problem, `on_switch` after a failed write was repeated in the
    fallback journal.
    """

    def __init__(
        self, on_problem: Callable[[Exception], None], on_switch: Callable[[], None]
    ) -> None:
        self._on_problem, self._on_switch = on_problem, on_switch
        self._journals: list[Journal] = []

    def open(self, home: str) -> None:
        """Opens the journal under `home`, else the fallback journal. Raises JournalUnavailable."""
        try:
            self._journals = [open_journal(home)]
        except JournalUnavailable as error:
            self._on_problem(error)
            self._open_fallback()

    def _open_fallback(self) -> None:
        """Uses a new connection to the fallback journal, in place of one that is open: `open` and
        `write` may both call this, in two threads."""
        fallback = open_fallback()
        others = [journal for journal in self._journals if journal.home != fallback.home]
        self._journals = [*others, fallback]
        self._on_problem(JournalUnavailable(f"events are kept in {self.journal.home}"))

    @property
    def journal(self) -> Journal:
        """The journal in use. Raises JournalUnavailable where none has been opened yet."""
        if not self._journals:
            raise JournalUnavailable("there is no journal")
        return self._journals[-1]

    def write(
        self, write: Callable[Concatenate[Journal, P], None], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Calls `write` with the journal in use; if that can't be written, with the fallback.

        Raises JournalUnavailable if the fallback journal can't be written either.
        """
        try:
            return write(self.journal, *args, **kwargs)
        except JournalUnavailable as error:
            if self._journals:
                self._on_problem(error)
        self._open_fallback()
        write(self.journal, *args, **kwargs)
        try:
            self._on_switch()
        except TfeventsError as error:  # nothing is sent now, but the events are kept
            self._on_problem(error)

    def has_older_events(self, queues: Iterable[Queue]) -> bool:
        """Whether a journal that is not in use has pending events of these queues.

        If so, calls `on_problem`: these events are older and must be sent first. They are home's,
        or those of the fallback journal that could not be moved.
        """
        other = find_other_journal(self.journal.home)
        try:
            for journal in (*self._journals[:-1], other):
                if journal and any(journal.find_unsent_events(queue) for queue in queues):
                    self._on_problem(JournalUnavailable(describe_older_journal(journal)))
                    return True
        finally:
            if other:
                other.close()
        return False

    def find_events(self, run_id: str) -> list[StoredEvent]:
        """A run's events from all journals opened so far, the newest first."""
        found: list[StoredEvent] = []
        for journal in reversed(self._journals):
            with suppress(JournalUnavailable):
                found += journal.find_events(run_id=run_id)
        return found

    def find_unreadable(self) -> list[str]:
        """A line for each row of these journals that could not be read."""
        return [line for journal in self._journals for line in journal.unreadable]
