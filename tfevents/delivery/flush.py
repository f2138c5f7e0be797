"""Implements `tfevents flush`: sends the journal's pending events and counts the outcome."""

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
    describe_older_journal,
    find_fallback,
    find_other_journal,
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

SettledCallback = Callable[[FlushResult], None]
Progress = Callable[[int, int], None]
"""Called with the number of events tried so far and their total; first with 0."""


def _ignore_progress(_tried: int, _total: int) -> None:
    """The progress callback of a flush without a progress display."""


class FlushSummary(Struct, frozen=True):
    """The outcome of a flush, in numbers of events.

    `kept`: still pending. `reasons`: why events were refused or kept, each once. `dropped`:
    undelivered events that pruning removed. `closed`: abandoned runs that were closed, not events.
    `assigned`: events that the flush's assignment gave a destination.
    """

    delivered: int = 0
    refused: int = 0
    kept: int = 0
    reasons: tuple[str, ...] = ()
    left: int = 0
    """Refused by an earlier flush or run, and not tried again now."""
    dropped: int = 0
    closed: int = 0
    assigned: int = 0

    @property
    def has_undelivered(self) -> bool:
        """Whether any event that this flush tried to send was not delivered."""
        return bool(self.refused or self.kept)


def find_journal(home: str) -> Journal:
    """The home directory's journal, after the fallback journal's events were moved into it.

    The fallback journal, where the home directory can't be used. Raises JournalUnavailable where
    there is neither.
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
    """One flush.

    `refused`: whether refused events are sent again. `seconds`: the timeout of the whole flush;
    None: none, it ends when no event was delivered for `patience` seconds.
    """

    settings: Settings
    env: Mapping[str, str]
    refused: bool = False
    seconds: float | None = None
    assignment: Assignment | None = None
    patience: float = PATIENCE

    def __repr__(self) -> str:
        """Leaves out the environment, which holds secrets."""
        return f"Flush({self.settings!r})"

    def run(self, progress: Progress = _ignore_progress) -> FlushSummary:
        """Closes abandoned runs, applies the assignment, sends the pending events, prunes.

        Raises SettingError without an API key and for an ambiguous assignment, and
        JournalUnavailable.
        """
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

    def _flush(self, journal: Journal, owner: str, progress: Progress) -> FlushSummary:
        closed = recovery.recover_abandoned(journal, self.env)
        assigned: list[str] = []
        if self.assignment:
            assigned = ownership.assign(journal, self.assignment, self.settings, self.env, owner)
        selected = journal.find_states(refused=self.refused)
        progress(0, len(selected))
        tried = count(1)

        def on_settled(_: FlushResult) -> None:
            progress(next(tried), len(selected))

        with closing(Sender(journal, self.settings, owner)) as sender:
            reasons = self._send(sender, journal, owner, on_settled) if selected else []
        remaining = journal.find_states(refused=True)
        all_refused = [event_id for event_id, s in remaining.items() if s.status is Status.REFUSED]
        undelivered = {
            event_id: remaining[event_id] for event_id in selected if event_id in remaining
        }
        refused = [event_id for event_id, s in undelivered.items() if s.status is Status.REFUSED]
        return FlushSummary(
            delivered=len(selected) - len(undelivered),
            refused=len(refused),
            kept=len(undelivered) - len(refused),
            reasons=self._reasons(journal, [undelivered[each] for each in refused], reasons),
            left=len(all_refused) - len(refused),
            dropped=journal.prune(),
            closed=closed,
            assigned=len(assigned),
        )

    def _send(
        self, sender: Sender, journal: Journal, owner: str, on_settled: SettledCallback
    ) -> list[str]:
        """Delivers in rounds; returns the last round's reasons for keeping events.

        Continues while events are kept, time is left, and the last round has delivered something
        or another process has just stopped sending.
        """
        endless = self.seconds is None
        deadline = Deadline(self.patience if endless else self.seconds or 0.0, renewed=endless)
        done = self._deliver(sender, journal, deadline, on_settled, refused=self.refused)
        while (
            done.kept
            and (done.delivered or _wait_for_other_senders(done, journal, owner, deadline))
            and deadline.seconds_left
        ):
            done = self._deliver(sender, journal, deadline, on_settled)
        return done.reasons

    def _deliver(
        self,
        sender: Sender,
        journal: Journal,
        deadline: Deadline,
        on_settled: SettledCallback,
        refused: bool = False,
    ) -> FlushResult:
        """Sends one round: each queue with a known destination that the fallback doesn't hold."""
        destinations = ownership.find_destinations(
            journal, self.settings, self.env, refused=refused
        )
        blocked = self._find_fallback_destinations(journal).values()
        known = {
            queue: found
            for queue, found in destinations.items()
            if found not in blocked and not ownership.find_missing_fields(found)
        }
        return sender.flush(known, FlushState(deadline, refused, progress=on_settled))

    def _find_fallback_destinations(self, journal: Journal) -> dict[Queue, Destination]:
        """The fallback journal's queues and destinations: its events could not be moved.

        They are older, so no event for these destinations may be sent before them.
        """
        fallback = find_other_journal(journal.home)
        if fallback is None:
            return {}
        with closing(fallback):
            return ownership.find_destinations(fallback, self.settings, self.env)

    def _reasons(
        self, journal: Journal, refused: Iterable[EventState], kept: Iterable[str]
    ) -> tuple[str, ...]:
        """The lines that explain why events are not delivered, each once.

        `refused`: events that the server refused. `kept`: the sender's reasons. Further lines name
        unknown destinations, an older fallback journal and unreadable rows.
        """
        destinations = ownership.find_destinations(journal, self.settings, self.env)
        unowned = ownership.describe_unowned(journal.find_unowned(), destinations)
        lines = [*(f"refused: {state.reason}" for state in refused)]
        lines += [f"kept: {reason}" for reason in (*kept, *unowned)]
        if self._find_fallback_destinations(journal) and (
            fallback := find_other_journal(journal.home)
        ):
            with closing(fallback):
                lines.append(f"kept: {describe_older_journal(fallback)}")
        return tuple(dict.fromkeys([*lines, *journal.unreadable]))


def _wait_for_other_senders(
    done: FlushResult, journal: Journal, owner: str, deadline: Deadline
) -> bool:
    """Waits while other processes hold claims; whether sending is worth another round.

    False where no other process was sending, and at the deadline.
    """
    if done.reason != BUSY and not journal.has_other_sender(owner):
        return False
    deadline.sleep(CLAIM_POLL)
    while journal.has_other_sender(owner) and deadline.seconds_left:
        deadline.sleep(CLAIM_POLL)
    return deadline.seconds_left > 0
