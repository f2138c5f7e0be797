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
"""Seconds from the first failed attempt to the second, and the longest such pause."""
CONNECT_TRIES = 2
"""Failed connections in a row after which no further one is tried."""
CLAIM_POLL = 0.05
"""Seconds until a queue that another process has claimed is looked at again."""
LEAST_SECONDS = 0.05
"""Seconds that must be left to send an event: without its response, it would be sent twice."""
RETRY_SECONDS = 0.5
"""Seconds that must be left for a retry: a timeout would only hide the last failure's reason."""


def choose_pause(failed_attempts: int) -> float:
    """The seconds to wait after so many failed attempts: exponential backoff with jitter."""
    longest: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failed_attempts - 1, 9))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  # no secret


class Batch(Struct):
    """Events for one destination, sent one after the other.

    `queues`: the journal's queues with these events; more than one if some of the events were put
    without the whole destination. `due`: when the next attempt may begin, in monotonic seconds.
    `failed_attempts`: in a row. `reason`: why the last attempt ended.
    """

    destination: Destination
    queues: list[Queue] = []
    due: float = 0.0
    failed_attempts: int = 0
    reason: str | None = None


class FlushState(Struct):
    """The options and the progress of one flush.

    `refused`: whether refused events are sent again. `wait_for_claims`: whether to wait for
    queues that another process has claimed. `keep_claims`: whether to leave the claims
    unreleased, as the process ends after this flush, which makes them void. `new_events`: set
    when there are new events; the flush then ends at its next pause. `progress`: called after
    each settled event. `settled`: ids of events that were delivered or refused in this flush.
    `failed_connections`: in a row. `over`: no further batch is sent.
    """

    deadline: Deadline
    refused: bool = False
    wait_for_claims: bool = False
    keep_claims: bool = False
    new_events: Event = field(default_factory=Event)
    progress: Callable[[FlushResult], None] | None = None
    result: FlushResult = field(default_factory=FlushResult)
    settled: set[str] = set()
    failed_connections: int = 0
    over: bool = False


class Sender:
    """Sends for one process; `owner` is the identity of its run lock, which must be held."""

    def __init__(self, journal: Journal, settings: Settings, owner: str) -> None:
        """Raises SettingError for an unusable URL, CA bundle or proxy, or without an API key."""
        self._journal, self._owner = journal, owner
        self._client = ApiClient(settings)
        self._account = settings.account
        self._unauthorized: dict[Destination, str] = {}
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
        while waiting and not state.over and state.failed_connections < CONNECT_TRIES:
            batch = min(waiting, key=lambda batch: batch.due)
            pause = max(0.0, max(batch.due, self._not_before) - time.monotonic())
            needed = pause + (RETRY_SECONDS if batch.failed_attempts else 0.0)
            deadline = state.deadline
            if needed >= deadline.seconds_left or deadline.wait(state.new_events, pause):
                return
            if not self._claim_and_send(batch, state):
                waiting.remove(batch)

    def _claim_and_send(self, batch: Batch, state: FlushState) -> bool:
        """Tries to send one batch; returns whether it should be tried again."""
        destination = batch.destination
        batch.reason = self._unauthorized.get(destination) or self._find_obstacle(destination)
        if batch.reason:
            return False
        if not self._journal.claim(batch.queues, self._owner):
            batch.due, batch.reason = time.monotonic() + CLAIM_POLL, BUSY
            return state.wait_for_claims
        try:
            return self._send(batch, state)
        finally:
            if not state.keep_claims:
                self._journal.release(self._owner)

    def _find_obstacle(self, destination: Destination) -> str | None:
        """Why no event can be sent to `destination`: it is incomplete, or another key's account.

        None if events can be sent.
        """
        if missing := destination.missing():
            return describe_missing(missing)
        if self._account not in (None, destination.account):
            return f"this event is of account {destination.account}, the key is of {self._account}"
        return None

    def _send(self, batch: Batch, state: FlushState) -> bool:
        """Sends a claimed batch; returns whether it should be tried again."""
        try:
            self._send_events(batch, state)
        except Unreachable as error:
            self._schedule_retry(batch, state, error)
            return True
        except Unauthorized as error:
            state.over = True
            self._unauthorized[batch.destination] = batch.reason = str(error)
        except DeliveryError as error:
            batch.reason = str(error)
        return False

    def _schedule_retry(self, batch: Batch, state: FlushState, error: Unreachable) -> None:
        """Schedules the batch's next attempt with exponential backoff.

        A Retry-After of the server delays all batches.
        """
        batch.reason = str(error)
        batch.failed_attempts += 1
        state.failed_connections = 0 if error.connected else state.failed_connections + 1
        batch.due = time.monotonic() + choose_pause(batch.failed_attempts)
        if error.retry_after is not None:
            self._not_before = time.monotonic() + error.retry_after

    def _send_events(self, batch: Batch, state: FlushState) -> None:
        """Sends a batch's events, the oldest first; continues after a refused event.

        Raises any other DeliveryError, which leaves its event pending.
        """
        for event in self._read_events(batch, state):
            if state.deadline.seconds_left < LEAST_SECONDS:
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
            batch.failed_attempts = state.failed_connections = 0
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
        while events := self._find_unsettled(batch, state):
            yield from events

    def _find_unsettled(self, batch: Batch, state: FlushState) -> list[StoredEvent]:
        events = [
            event
            for queue in batch.queues
            for event in self._journal.find_unsent_events(queue, refused=state.refused)
            if event.event_id not in state.settled
        ]
        return sorted(events, key=lambda event: event.seq)

    def _note_kept(self, state: FlushState, batches: list[Batch]) -> None:
        """Records which events were not settled, and why."""
        kept = [e.event_id for batch in batches for e in self._find_unsettled(batch, state)]
        if kept:
            reasons = [batch.reason for batch in batches if batch.reason] or [OUT_OF_TIME]
            state.result.kept, state.result.reasons = kept, list(dict.fromkeys(reasons))
