"""Sends pending events to the server: in order, once, within a deadline.

No other module sends the journal's events.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from threading import Event

from msgspec import Struct, field

from tfevents.deadline import Deadline
from tfevents.delivery.client import ApiClient
from tfevents.delivery.result import BUSY, OUT_OF_TIME, FlushResult, describe_missing
from tfevents.errors import DeliveryError, Refused, Unauthorized, Unreachable
from tfevents.journal.journal import Journal
from tfevents.journal.models import Destination, Queue, Status, StoredEvent
from tfevents.settings.model import Settings

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 8.0
CONNECT_TRIES = 2
CLAIM_POLL = 0.05
LEAST_SECONDS = 0.05
"""Seconds that must be left to send an event: without its response, it would be sent twice."""
RETRY_SECONDS = 0.5
"""Seconds that must be left for a retry: a timeout would only hide the last failure's reason."""


def choose_pause(tried: int) -> float:
    """The seconds to wait after `tried` failed attempts: exponential backoff with jitter."""
    longest: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(tried - 1, 9))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  # no secret


class Batch(Struct):
    """Events for one destination, sent one after the other.

    `queues`: the journal's queues with these events; more than one where some of their runs did not
    know the whole destination. `due`: when the next attempt may begin, in monotonic seconds.
    `tried`: failed attempts in a row. `why`: why the last attempt ended.
    """

    destination: Destination
    queues: list[Queue] = []
    due: float = 0.0
    tried: int = 0
    why: str | None = None


class FlushState(Struct):
    """The options and the progress of one flush.

    `refused`: whether refused events are sent again. `waits`: whether to wait for queues that
    another process has claimed. `last`: the process ends after this flush, which makes its claims
    void, so they are not released. `more`: when set, the flush ends at its next pause, as there are
    new events. `progress`: called after each settled event. `settled`: ids of events that were
    delivered or refused in this flush. `missed`: failed connections in a row. `over`: no further
    batch is sent.
    """

    deadline: Deadline
    refused: bool = False
    waits: bool = False
    last: bool = False
    more: Event = field(default_factory=Event)
    progress: Callable[[FlushResult], None] | None = None
    result: FlushResult = field(default_factory=FlushResult)
    settled: set[str] = set()
    missed: int = 0
    over: bool = False


class Sender:
    """Sends for one process; `owner` is the identity of its run lock, which must be held."""

    def __init__(self, journal: Journal, settings: Settings, owner: str) -> None:
        """Raises SettingError for an unusable URL, CA bundle or proxy, or without an API key."""
        self._journal, self._owner = journal, owner
        self._client = ApiClient(settings)
        self._account = settings.account
        self._unwelcome: dict[Destination, str] = {}
        self._not_before = 0.0

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def flush(self, destinations: Mapping[Queue, Destination], state: FlushState) -> FlushResult:
        """Sends the pending events of each queue to its destination, in the order of the mapping.

        Raises JournalUnavailable.
        """
        batches: dict[Destination, Batch] = {}
        for queue, destination in destinations.items():
            batches.setdefault(destination, Batch(destination)).queues.append(queue)
        self._send_batches(list(batches.values()), state)
        self._note_kept(state, list(batches.values()))
        return state.result

    def _send_batches(self, batches: list[Batch], state: FlushState) -> None:
        """Sends each batch when it is due, until all are done, time is up or the server is down."""
        waiting = list(batches)
        while waiting and not state.over and state.missed < CONNECT_TRIES:
            batch = min(waiting, key=lambda batch: batch.due)
            pause = max(0.0, max(batch.due, self._not_before) - time.monotonic())
            needed = pause + (RETRY_SECONDS if batch.tried else 0.0)
            if needed >= state.deadline.left or state.deadline.wait(state.more, pause):
                return
            if not self._try(batch, state):
                waiting.remove(batch)

    def _try(self, batch: Batch, state: FlushState) -> bool:
        """Tries to send one batch; returns whether it should be tried again."""
        batch.why = self._unwelcome.get(batch.destination) or self._why_not(batch.destination)
        if batch.why:
            return False
        if not self._journal.claim(batch.queues, self._owner):
            batch.due, batch.why = time.monotonic() + CLAIM_POLL, BUSY
            return state.waits
        try:
            return self._send(batch, state)
        finally:
            if not state.last:
                self._journal.release(self._owner)

    def _why_not(self, where: Destination) -> str | None:
        """Why no event can be sent there: an incomplete destination or another key's account.

        None if events can be sent.
        """
        if missing := where.missing():
            return describe_missing(missing)
        if self._account not in (None, where.account):
            return f"this event is of account {where.account}, the key is of {self._account}"
        return None

    def _send(self, batch: Batch, state: FlushState) -> bool:
        """Sends a claimed batch; returns whether it should be tried again."""
        try:
            self._send_all(batch, state)
        except Unreachable as error:
            self._come_back(batch, state, error)
            return True
        except Unauthorized as error:
            state.over = True
            self._unwelcome[batch.destination] = batch.why = str(error)
        except DeliveryError as error:
            batch.why = str(error)
        return False

    def _come_back(self, batch: Batch, state: FlushState, error: Unreachable) -> None:
        """Schedules the batch's next attempt with exponential backoff.

        A Retry-After of the server delays all batches.
        """
        batch.why = str(error)
        batch.tried += 1
        state.missed = 0 if error.connected else state.missed + 1
        batch.due = time.monotonic() + choose_pause(batch.tried)
        if error.again is not None:
            self._not_before = time.monotonic() + error.again

    def _send_all(self, batch: Batch, state: FlushState) -> None:
        """Sends a batch's events, the oldest first; continues after a refused event.

        Raises any other DeliveryError, which leaves its event pending.
        """
        for event in self._read_events(batch, state):
            if state.deadline.left < LEAST_SECONDS:
                raise DeliveryError(OUT_OF_TIME)
            try:
                self._client.send_event(event.body, batch.destination, state.deadline)
            except Refused as error:
                self._settle(event, state, Status.REFUSED, str(error))
                state.result.refused.append(event.event_id)
            except DeliveryError as error:
                self._journal.settle(event.event_id, Status.PENDING, str(error))
                raise
            else:
                self._settle(event, state, Status.DELIVERED)
                state.result.delivered.append(event.event_id)
            batch.tried = state.missed = 0
            state.deadline.renew()
            if state.progress:
                state.progress(state.result)

    def _settle(
        self, event: StoredEvent, state: FlushState, status: Status, reason: str | None = None
    ) -> None:
        self._journal.settle(event.event_id, status, reason)
        state.settled.add(event.event_id)

    def _read_events(self, batch: Batch, state: FlushState) -> Iterator[StoredEvent]:
        """A batch's events that need sending, with those that are put in the journal meanwhile."""
        while events := self._waiting(batch, state):
            yield from events

    def _waiting(self, batch: Batch, state: FlushState) -> list[StoredEvent]:
        events = [
            event
            for queue in batch.queues
            for event in self._journal.waiting(queue, refused=state.refused)
            if event.event_id not in state.settled
        ]
        return sorted(events, key=lambda event: event.seq)

    def _note_kept(self, state: FlushState, batches: list[Batch]) -> None:
        """Records which events were not settled, and why."""
        kept = [e.event_id for batch in batches for e in self._waiting(batch, state)]
        if kept:
            reasons = [batch.why for batch in batches if batch.why] or [OUT_OF_TIME]
            state.result.kept, state.result.reasons = kept, list(dict.fromkeys(reasons))
