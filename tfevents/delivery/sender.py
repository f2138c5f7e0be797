"""Waiting events → the server: in order, once, within a budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct, field

from tfevents.deadline import Budget
from tfevents.delivery.client import Uploader
from tfevents.errors import DeliveryError, Refused, Unauthorized, Unreachable
from tfevents.journal.journal import Journal
from tfevents.journal.models import Destination, Entry, Queue, Status
from tfevents.settings.model import Settings

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 8.0
CONNECT_TRIES = 2
CLAIM_POLL = 0.05
OUT_OF_TIME = "out of time (send it with: tfevents flush)"
BUSY = "another tfevents is sending it"
NO_KEY = "no TFEVENTS_API_KEY is set"


class Delivered(Struct):
    """What one flush did: event ids, and why the rest stayed, each reason once."""

    delivered: list[str] = []
    refused: list[str] = []
    kept: list[str] = []
    reasons: list[str] = []

    @property
    def reason(self) -> str | None:
        """The first; None where nothing stayed."""
        return next(iter(self.reasons), None)


class Batch(Struct):
    """Events for one destination, sent one after the other.

    `queues`: where they are in the journal; more than one where their runs did not know all of the
    destination. `due`: when it is its turn. `why`: what its last try ended with.
    """

    destination: Destination
    queues: list[Queue] = []
    due: float = 0.0
    tried: int = 0
    why: str | None = None


class Turn(Struct):
    """One flush. `seen`: events that are settled. `missed`: connections in a row that could not be
    made."""

    budget: Budget
    refused: bool
    waits: bool
    tell: Callable[[Delivered], None]
    done: Delivered = field(default_factory=Delivered)
    seen: set[str] = set()
    missed: int = 0
    over: bool = False


class Courier:
    """Delivers for one process, which `owner` (a lock that is held) stands for."""

    def __init__(self, journal: Journal, settings: Settings, owner: str) -> None:
        self._journal, self.owner = journal, owner
        self.leaving = False
        """Whether its owner is about to go: a claim need not be given back then."""
        self._uploader = Uploader(settings)
        self._account = settings.account
        self._unwelcome: dict[Destination, str] = {}
        self._not_before = 0.0

    def open(self) -> None:
        """Begins to connect, beside whatever else goes on."""
        self._uploader.open()

    def close(self) -> None:
        """Hangs up."""
        self._uploader.close()

    def deliver(
        self,
        destinations: Mapping[Queue, Destination],
        budget: Budget,
        *,
        waits: bool = False,
        refused: bool = False,
        tell: Callable[[Delivered], None] = lambda _: None,
    ) -> Delivered:
        """Sends what waits in these queues to where each is to go, the first before the others.

        `waits`: for a queue that somebody else is just sending. Raises JournalUnavailable.
        """
        turn = Turn(budget, refused, waits, tell)
        batches: dict[Destination, Batch] = {}
        for queue, destination in destinations.items():
            batches.setdefault(destination, Batch(destination)).queues.append(queue)
        self._go_round(list(batches.values()), turn)
        self._tell_rest(turn, list(batches.values()))
        return turn.done

    def _go_round(self, batches: list[Batch], turn: Turn) -> None:
        """Each batch when it is due, until all are done or none has a chance."""
        waiting = list(batches)
        while waiting and not turn.over and turn.missed < CONNECT_TRIES:
            batch = min(waiting, key=lambda batch: batch.due)
            pause = max(0.0, max(batch.due, self._not_before) - time.monotonic())
            if pause >= turn.budget.left:
                return
            turn.budget.rest(pause)
            if not self._try(batch, turn):
                waiting.remove(batch)

    def _try(self, batch: Batch, turn: Turn) -> bool:
        """One batch once; whether it is worth another try."""
        batch.why = self._unwelcome.get(batch.destination) or self._why_not(batch.destination)
        if batch.why:
            return False
        if not self._journal.claim(batch.queues, self.owner):
            batch.due, batch.why = time.monotonic() + CLAIM_POLL, BUSY
            return turn.waits
        try:
            return self._send(batch, turn)
        finally:
            if not self.leaving:
                self._journal.release(self.owner)

    def _why_not(self, where: Destination) -> str | None:
        """Why nothing can be sent there: it is not known in full, or not for this key."""
        if missing := where.missing():
            return unknown(missing)
        if self._account not in (None, where.account):
            return f"this event is of account {where.account}, the key is of {self._account}"
        return None

    def _send(self, batch: Batch, turn: Turn) -> bool:
        try:
            self._send_all(batch, turn)
        except Unreachable as error:
            self._come_back(batch, turn, error)
            return True
        except Unauthorized as error:
            turn.over = True
            self._unwelcome[batch.destination] = batch.why = str(error)
        except DeliveryError as error:
            batch.why = str(error)
        return False

    def _come_back(self, batch: Batch, turn: Turn, error: Unreachable) -> None:
        """When: as the server asked, and later each time, with jitter against stampedes."""
        import random  # slow to wake

        batch.why = str(error)
        batch.tried += 1
        turn.missed = 0 if error.connected else turn.missed + 1
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(batch.tried - 1, 9))
        batch.due = time.monotonic() + longest * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
        if error.again is not None:
            self._not_before = time.monotonic() + error.again

    def _send_all(self, batch: Batch, turn: Turn) -> None:
        """The oldest first. Raises the first reason to stop."""
        for entry in self._entries(batch, turn):
            if not turn.budget.left:
                raise DeliveryError(OUT_OF_TIME)
            try:
                self._uploader.send(entry.body, batch.destination, turn.budget.left)
            except Refused as error:
                self._settle(entry, turn, Status.REFUSED, str(error))
                turn.done.refused.append(entry.event_id)
            except DeliveryError as error:
                self._journal.settle(entry.event_id, Status.PENDING, str(error))
                raise
            else:
                self._settle(entry, turn, Status.DELIVERED)
                turn.done.delivered.append(entry.event_id)
            batch.tried = turn.missed = 0
            turn.budget.renew()
            turn.tell(turn.done)

    def _settle(self, entry: Entry, turn: Turn, status: Status, reason: str | None = None) -> None:
        self._journal.settle(entry.event_id, status, reason)
        turn.seen.add(entry.event_id)

    def _entries(self, batch: Batch, turn: Turn) -> Iterator[Entry]:
        """What waits in a batch; what is put while it is being sent follows in the same turn."""
        while entries := self._waiting(batch, turn):
            yield from entries

    def _waiting(self, batch: Batch, turn: Turn) -> list[Entry]:
        entries = [
            entry
            for queue in batch.queues
            for entry in self._journal.waiting(queue, refused=turn.refused)
            if entry.event_id not in turn.seen
        ]
        return sorted(entries, key=lambda entry: entry.seq)

    def _tell_rest(self, turn: Turn, batches: list[Batch]) -> None:
        """What stayed, and why."""
        turn.done.kept = [e.event_id for batch in batches for e in self._waiting(batch, turn)]
        if turn.done.kept:
            reasons = [batch.why for batch in batches if batch.why] or [OUT_OF_TIME]
            turn.done.reasons = list(dict.fromkeys(reasons))


def unknown(missing: list[str]) -> str:
    """What to do for events that will come: where they go is not known."""
    return f"not known where to: set {' and '.join(f'TFEVENTS_{n.upper()}' for n in missing)}"
