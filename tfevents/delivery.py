"""Waiting events → the server: in order, once, within a budget."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tfevents.errors import DeliveryError, Refused, Unauthorized, Unreachable
from tfevents.journal import Destination, Entry, Journal, Status, lane_of
from tfevents.settings import Settings
from tfevents.upload import Uploader

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 8.0
CONNECT_TRIES = 2
CLAIM_POLL = 0.02


class Budget:
    """How long delivery may still take; whoever waits for it may make it shorter."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds, never negative."""
        return max(0.0, self._end - time.monotonic())

    def limit(self, seconds: float) -> None:
        """At most this long from now on."""
        self._end = min(self._end, time.monotonic() + seconds)


@dataclass
class Delivered:
    """What one flush did: event ids, and why the rest stayed."""

    delivered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    reason: str | None = None


class Courier:
    """Delivers for one process, which `owner` (a living presence) stands for."""

    def __init__(self, journal: Journal, settings: Settings, owner: str) -> None:
        self._journal, self._settings, self._owner = journal, settings, owner
        self._uploader = Uploader(settings)
        self._mine = Destination(
            settings.account, settings.org, settings.project, settings.workspace
        )

    def flush(
        self,
        budget: Budget,
        *,
        first: str | None = None,
        refused: bool = False,
        tell: Callable[[Delivered], None] = lambda _: None,
    ) -> Delivered:
        """Sends what waits: the lane `first` before the others, and that one even if it has to
        wait for its claim. Raises JournalUnavailable."""
        done = Delivered()
        try:
            for lane in self._lanes(first, refused):
                if not self._claim(lane, budget, wait=lane == first):
                    self._keep(done, lane, refused, "another tfevents is sending it")
                elif not self._flush_lane(lane, budget, done, refused, tell):
                    break
        finally:
            self._journal.release(self._owner)
        return done

    def _lanes(self, first: str | None, refused: bool) -> list[str]:
        waiting = [lane_of(entry.destination) for entry in self._journal.waiting(refused=refused)]
        lanes = list(dict.fromkeys(waiting))
        return sorted(lanes, key=lambda lane: lane != first)

    def _claim(self, lane: str, budget: Budget, *, wait: bool) -> bool:
        while not self._journal.claim(lane, self._owner):
            if not wait or budget.left <= CLAIM_POLL:
                return False
            time.sleep(CLAIM_POLL)
        return True

    def _keep(self, done: Delivered, lane: str, refused: bool, reason: str) -> None:
        done.kept += [entry.event_id for entry in self._journal.waiting(lane, refused=refused)]
        done.reason = done.reason or reason

    def _flush_lane(
        self,
        lane: str,
        budget: Budget,
        done: Delivered,
        refused: bool,
        tell: Callable[[Delivered], None],
    ) -> bool:
        """One lane, the oldest event first; False where no lane has a chance any more."""
        for entry in self._entries(lane, refused):
            try:
                self._deliver(entry, budget)
            except Refused as error:
                self._journal.settle(entry.event_id, Status.REFUSED, str(error))
                done.refused.append(entry.event_id)
                done.reason = str(error)
            except DeliveryError as error:
                self._journal.settle(entry.event_id, Status.PENDING, str(error))
                self._keep(done, lane, refused, str(error))
                return not isinstance(error, (Unauthorized, Unreachable))
            else:
                self._journal.settle(entry.event_id, Status.DELIVERED)
                done.delivered.append(entry.event_id)
            tell(done)
        return True

    def _entries(self, lane: str, refused: bool) -> Iterator[Entry]:
        """What waits in a lane; what is put while it is being sent follows in the same turn."""
        seen: set[str] = set()
        while entries := [
            e for e in self._journal.waiting(lane, refused=refused) if e.event_id not in seen
        ]:
            for entry in entries:
                seen.add(entry.event_id)
                yield entry

    def _deliver(self, entry: Entry, budget: Budget) -> None:
        """Tries until it is taken, refused, or the budget does not allow another try."""
        where = self._where(entry)
        tried = 0
        while True:
            try:
                return self._uploader.send(entry.body, where, budget.left)
            except Unreachable as error:
                tried += 1
                pause = self._pause(error, tried)
                if (not error.connected and tried >= CONNECT_TRIES) or pause >= budget.left:
                    raise
                time.sleep(pause)

    def _pause(self, error: Unreachable, tried: int) -> float:
        """What the server asked for, else longer each time, with jitter against stampedes."""
        if error.again is not None:
            return error.again
        longest: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tried - 1))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  # no secret depends on it

    def _where(self, entry: Entry) -> Destination:
        """Where an event goes; what its run did not know is filled in from these settings."""
        mine, its = self._mine, entry.destination
        if its.account and mine.account and its.account != mine.account:
            raise DeliveryError(
                f"this event is of account {its.account}, the key is of {mine.account}"
            )
        where = its.filled(mine)
        if missing := where.missing():
            names = " and ".join(f"TFEVENTS_{name.upper()}" for name in missing)
            raise DeliveryError(f"not known where to: set {names}")
        return where
