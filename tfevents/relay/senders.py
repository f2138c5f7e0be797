"""The sender threads: each claims a workspace, sends its next event, and records the result.

Only one thread at a time looks for a due workspace; once it has found one, the next thread looks.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack

from sqlalchemy.exc import SQLAlchemyError

from tfevents.deadline import Deadline
from tfevents.delivery.client import MOST_SECONDS, ApiClient
from tfevents.errors import DeliveryError, Refused, Unauthorized
from tfevents.relay import outbox
from tfevents.relay.claims import Claims
from tfevents.relay.keys import SECRET, Keys
from tfevents.relay.metrics import Metrics
from tfevents.relay.outage import Outage
from tfevents.relay.outbox import Outgoing
from tfevents.terminal import print_line

THREADS = 8
POLL_SECONDS = 0.25
"""Seconds between two searches for a due workspace."""
PRUNE_SECONDS = 3600.0
DATABASE_RETRY_SECONDS = 1.0
"""Seconds until a query is tried again after the database failed."""
LAST_TRIES = 5
"""Attempts to record a result after which a stopping relay gives up."""


class Senders:
    """Sends the waiting events of a database to the server upstream, in threads."""

    def __init__(self, claims: Claims, keys: Keys, client: ApiClient, metrics: Metrics) -> None:
        """`client`: for the server upstream; its key is replaced by that of each event."""
        self._engine, self._claims = claims.engine, claims
        self._keys, self._metrics = keys, metrics
        self._client = client
        self._outage = Outage()
        self._looking, self._work_available = threading.Lock(), threading.Event()
        self._stopping = False
        self._prune_at = 0.0
        self._last_error: str | None = None
        self._threads = [threading.Thread(target=self._work) for _ in range(THREADS)]

    @property
    def working(self) -> bool:
        """Whether all threads are running."""
        return all(thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        """Starts the threads."""
        for thread in self._threads:
            thread.start()

    def notify(self) -> None:
        """Wakes the thread that looks for work, since a new event was stored."""
        self._work_available.set()

    def stop(self) -> None:
        """Stops the threads; returns once requests in progress are finished and their results
        recorded."""
        self._stopping = True
        self._work_available.set()
        for thread in self._threads:
            if thread.is_alive():  # a thread that was never started can't be joined
                thread.join()

    def _work(self) -> None:
        while not self._stopping:
            try:
                self._send_one()
                self._last_error = None
            except SQLAlchemyError as error:
                self._pause_after_error(error)

    def _send_one(self) -> None:
        with ExitStack() as claim:
            with self._looking:
                workspace_id = self._find_work(claim)
            if workspace_id is not None:
                self._send_next(workspace_id)

    def _find_work(self, claim: ExitStack) -> int | None:
        """Waits for a due workspace; returns its id, or None when the relay is stopping.

        `claim`: is given the claim, to be closed after the request; it also calls
        `Outage.end_request`.
        """
        while not self._stopping:
            self._work_available.clear()
            self._prune()
            if self._outage.allow_request():
                claim.callback(self._outage.end_request)
                found = claim.enter_context(self._claims.take())
                if found is not None:
                    return found
                claim.close()
            if not self._stopping:
                self._work_available.wait(POLL_SECONDS)
        return None

    def _send_next(self, workspace_id: int) -> None:
        with self._engine.begin() as connection:
            event = outbox.take_next(connection, workspace_id)
        if event is None or not self._has_turn(event):
            return
        error = self._send(event)
        self._outage.record_result(error)
        self._metrics.count_result(error)
        self._record_result(event, error)
        if isinstance(error, (Refused, Unauthorized)):
            print_line(f"an event of workspace {event.destination.workspace}: {error}")

    def _has_turn(self, event: Outgoing) -> bool:
        if event.turn_taken:
            return True
        with self._engine.begin() as connection:
            return outbox.take_turn_or_postpone(connection, event)

    def _send(self, event: Outgoing) -> DeliveryError | None:
        """Sends one event; returns why it was not delivered, None if it was."""
        key = self._keys.unseal(event.sealed)
        if key is None:
            return Unauthorized(f"its key was encrypted with another {SECRET}")
        client = self._client.with_key(key)
        try:
            client.send_text(event.body.encode(), event.destination, Deadline(MOST_SECONDS))
        except DeliveryError as error:
            return error
        return None

    def _record_result(self, event: Outgoing, error: DeliveryError | None) -> None:
        """Records the result of an attempt; retries while the database fails, since an event whose
        delivery is not recorded is sent twice.

        Raises SQLAlchemyError if the relay is stopping and LAST_TRIES attempts have failed.
        """
        tried = 0
        while True:
            try:
                with self._engine.begin() as connection:
                    return outbox.record_result(connection, event, error)
            except SQLAlchemyError as database_error:
                tried += 1
                if self._stopping and tried >= LAST_TRIES:
                    raise
                self._pause_after_error(database_error)

    def _prune(self) -> None:
        """Once in PRUNE_SECONDS, deletes old rows, and re-encrypts keys that another relay, not yet
        restarted, has stored with the old secret."""
        if time.monotonic() < self._prune_at:
            return
        self._prune_at = time.monotonic() + PRUNE_SECONDS
        with self._engine.begin() as connection:
            outbox.prune(connection)
        with self._engine.begin() as connection:
            outbox.reseal_keys(connection, self._keys)

    def _pause_after_error(self, error: SQLAlchemyError) -> None:
        """Sleeps before the database is tried again, and prints the error unless it is the same as
        before; only its type, since its text may quote the values written."""
        words = type(getattr(error, "orig", None) or error).__name__
        if words != self._last_error:
            self._last_error = words
            print_line(f"the relay's database: {words}")
        time.sleep(DATABASE_RETRY_SECONDS)
