"""One flush: what waits in the journal is sent, with time for it, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from itertools import count

from msgspec import Struct

from tfevents.deadline import Deadline
from tfevents.delivery.result import BUSY, FlushResult
from tfevents.delivery.sender import FlushState, Sender
from tfevents.errors import JournalUnavailable, SettingError
from tfevents.journal import ownership, recovery
from tfevents.journal.fallback import (
    describe_first,
    find_beside,
    find_fallback,
    merge_fallback,
)
from tfevents.journal.journal import Journal, open_journal
from tfevents.journal.models import Destination, EventState, Queue, Status
from tfevents.journal.ownership import Assignment
from tfevents.journal.run_lock import hold_lock
from tfevents.settings.model import Settings

PATIENCE = 60.0
"""Seconds without a delivery after which a flush without a timeout gives up."""

CLAIM_POLL = 0.1

Tell = Callable[[FlushResult], None]
Progress = Callable[[int, int], None]
"""Called with how many events have been tried, of how many; with 0 before the first."""


def _tell_nobody(_tried: int, _total: int) -> None:
    """For a flush that nobody watches."""


class Flushed(Struct, frozen=True):
    """What became of what had waited. `reasons`: why not, each once."""

    delivered: int = 0
    refused: int = 0
    kept: int = 0
    reasons: tuple[str, ...] = ()
    left: int = 0
    """Refused before, and not tried again."""
    dropped: int = 0
    closed: int = 0
    assigned: int = 0

    @property
    def waits(self) -> bool:
        """Whether something of what had waited was not delivered."""
        return bool(self.refused or self.kept)


def find_journal(home: str) -> Journal:
    """Home's journal, with what the fallback took in; the fallback where home can't be used.

    Raises JournalUnavailable.
    """
    try:
        journal = open_journal(home)
    except JournalUnavailable:
        fallback = find_fallback()
        if fallback is None:
            raise
        return fallback
    merge_fallback(journal)
    return journal


class Flush(Struct, frozen=True):
    """One flush. `seconds`: for all of it; None: as long as it gets on."""

    settings: Settings
    env: Mapping[str, str]
    refused: bool = False
    seconds: float | None = None
    assignment: Assignment | None = None
    patience: float = PATIENCE

    def __repr__(self) -> str:
        """Without the environment, which holds secrets."""
        return f"Flush({self.settings!r})"

    def run(self, progress: Progress = _tell_nobody) -> Flushed:
        """Raises SettingError where there is no key, or where it is not clear what is assigned to
        whom, and JournalUnavailable."""
        journal = find_journal(self.settings.home)
        if self.settings.api_key is None:
            waiting = len(journal.find_states())
            events = "1 event" if waiting == 1 else f"{waiting} events"
            raise SettingError(
                f"no API key is set, {events} waiting: set TFEVENTS_API_KEY"
                " or TFEVENTS_API_KEY_FILE"
            )
        with hold_lock(journal.home) as lock:
            return self._flush(journal, lock.identity, progress)

    def _flush(self, journal: Journal, me: str, progress: Progress) -> Flushed:
        closed = recovery.recover_abandoned(journal, self.env)
        assigned: list[str] = []
        if self.assignment:
            assigned = ownership.assign(journal, self.assignment, self.settings, self.env, me)
        before = journal.find_states(refused=self.refused)
        progress(0, len(before))
        tried = count(1)

        def tell(_: FlushResult) -> None:
            progress(next(tried), len(before))

        with closing(Sender(journal, self.settings, me)) as sender:
            reasons = self._send(sender, journal, me, tell) if before else []
        after = journal.find_states(refused=True)
        left = [event_id for event_id, s in after.items() if s.status is Status.REFUSED]
        stayed = {event_id: after[event_id] for event_id in before if event_id in after}
        refused = [event_id for event_id, s in stayed.items() if s.status is Status.REFUSED]
        return Flushed(
            delivered=len(before) - len(stayed),
            refused=len(refused),
            kept=len(stayed) - len(refused),
            reasons=self._reasons(journal, [stayed[each] for each in refused], reasons),
            left=len(left) - len(refused),
            dropped=journal.prune(),
            closed=closed,
            assigned=len(assigned),
        )

    def _send(self, sender: Sender, journal: Journal, me: str, tell: Tell) -> list[str]:
        """Round after round while it gets on, or while others hold what is left."""
        endless = self.seconds is None
        deadline = Deadline(self.patience if endless else self.seconds or 0.0, renewed=endless)
        done = self._deliver(sender, journal, deadline, tell, refused=self.refused)
        while (
            done.kept and (done.delivered or _freed(done, journal, me, deadline)) and deadline.left
        ):
            done = self._deliver(sender, journal, deadline, tell)
        return done.reasons

    def _deliver(
        self,
        sender: Sender,
        journal: Journal,
        deadline: Deadline,
        tell: Tell,
        refused: bool = False,
    ) -> FlushResult:
        """One round over all queues of which it is known where they go."""
        where = ownership.find_destinations(journal, self.settings, self.env, refused=refused)
        held = self._find_held(journal).values()
        known = {
            queue: found
            for queue, found in where.items()
            if found not in held and not ownership.lacks(found)
        }
        return sender.flush(known, FlushState(deadline, refused, progress=tell))

    def _find_held(self, journal: Journal) -> dict[Queue, Destination]:
        """What could not be moved from the fallback: it is older, and goes first."""
        beside = find_beside(journal)
        if beside is None:
            return {}
        with closing(beside):
            return ownership.find_destinations(beside, self.settings, self.env)

    def _reasons(
        self, journal: Journal, refused: Iterable[EventState], kept: Iterable[str]
    ) -> tuple[str, ...]:
        """Why events stayed: by what was tried, by what is not known of them, by what they are."""
        where = ownership.find_destinations(journal, self.settings, self.env)
        unowned = ownership.describe_unowned(journal.unowned(), where)
        told = [*(f"refused: {state.reason}" for state in refused)]
        told += [f"kept: {reason}" for reason in (*kept, *unowned)]
        if self._find_held(journal) and (beside := find_beside(journal)):
            with closing(beside):
                told.append(f"kept: {describe_first(beside)}")
        return tuple(dict.fromkeys([*told, *journal.unreadable]))


def _freed(done: FlushResult, journal: Journal, me: str, deadline: Deadline) -> bool:
    """Whether somebody else was sending, and isn't for the moment."""
    if done.reason != BUSY and not journal.busy(me):
        return False
    deadline.rest(CLAIM_POLL)
    while journal.busy(me) and deadline.left:
        deadline.rest(CLAIM_POLL)
    return deadline.left > 0
