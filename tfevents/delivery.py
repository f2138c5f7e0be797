"""Waiting events → the server: in order, once, within a budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from tfevents.entry import Destination, Entry, Status, lane_of
from tfevents.errors import DeliveryError, Refused, Unauthorized, Unreachable
from tfevents.journal import Journal
from tfevents.record import dataclass, field
from tfevents.settings import Settings
from tfevents.upload import Uploader

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 8.0
CONNECT_TRIES = 2
CLAIM_POLL = 0.05
OUT_OF_TIME = "out of time (send it with: tfevents flush)"
BUSY = "another tfevents is sending it"


class Budget:
    """How long delivery may still take; whoever waits for it may make it shorter."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds, never negative."""
        return max(0.0, self._end - time.monotonic())

    def limit(self, seconds: float) -> None:
        """At most this long from now on; a signal handler may call it."""
        self._end = min(self._end, time.monotonic() + seconds)

    def rest(self, seconds: float) -> None:
        """Sleeps, but not beyond the budget."""
        until = time.monotonic() + seconds
        while (wait := min(until - time.monotonic(), self.left)) > 0:
            time.sleep(min(0.05, wait))


@dataclass
class Delivered:
    """What one flush did: event ids, and why the rest stayed."""

    delivered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    reason: str | None = None


@dataclass
class Lane:
    """Events for one destination, sent one after the other.

    `stored`: under which destinations they are in the journal; the same one, but for events whose
    run did not know all of it. `due`: when it is its turn. `why`: what its last try ended with.
    """

    place: str
    stored: set[str] = field(default_factory=set)
    due: float = 0.0
    tried: int = 0
    why: str | None = None


@dataclass
class Turn:
    """One flush. `seen`: events that are settled. `missed`: connections in a row that could not be
    made."""

    budget: Budget
    refused: bool
    tell: Callable[[Delivered], None]
    done: Delivered = field(default_factory=Delivered)
    seen: set[str] = field(default_factory=set)
    missed: int = 0
    over: bool = False


class Courier:
    """Delivers for one process, which `owner` (a living presence) stands for."""

    def __init__(self, journal: Journal, settings: Settings, owner: str) -> None:
        self._journal, self.owner = journal, owner
        self.leaving = False
        """Whether its owner is about to go: a claim need not be given back then."""
        self._uploader = Uploader(settings)
        self._mine = Destination(
            settings.account, settings.org, settings.project, settings.workspace
        )
        self._unwelcome: dict[str, str] = {}
        self._not_before = 0.0

    def open(self) -> None:
        """Begins to connect, beside whatever else goes on."""
        self._uploader.open()

    def close(self) -> None:
        """Hangs up."""
        self._uploader.close()

    @property
    def unwelcome(self) -> bool:
        """Whether the server did not take the key: it won't in the next moment either."""
        return bool(self._unwelcome)

    def flush(
        self,
        budget: Budget,
        *,
        first: str | None = None,
        alone: bool = False,
        refused: bool = False,
        tell: Callable[[Delivered], None] = lambda _: None,
    ) -> Delivered:
        """Sends what waits: the lane `first` before the others, and that one even if it has to
        wait for its claim; only that one if it is to be `alone`. Raises JournalUnavailable."""
        turn = Turn(budget, refused, tell)
        lanes = self._lanes(first, refused)
        if alone:
            lanes = [lane for lane in lanes if lane.place == first]
        self._go_round(lanes, turn, first)
        self._tell_rest(turn, lanes)
        return turn.done

    def _lanes(self, first: str | None, refused: bool) -> list[Lane]:
        """What waits, the lane that waits longest first; but `first` before all."""
        lanes: dict[str, Lane] = {}
        for entry in self._journal.waiting(refused=refused):
            place = self._place(entry)
            lane = lanes.setdefault(place, Lane(place, {place}))
            lane.stored.add(lane_of(entry.destination))
        return sorted(lanes.values(), key=lambda lane: lane.place != first)

    def _place(self, entry: Entry) -> str:
        """Where an event goes, as far as is known."""
        return lane_of(self._filled(entry.destination))

    def _filled(self, destination: Destination) -> Destination:
        """What its run did not know is filled in from these settings, within one account."""
        return destination if self._foreign(destination) else destination.filled(self._mine)

    def _foreign(self, destination: Destination) -> bool:
        accounts = {destination.account, self._mine.account} - {None}
        return len(accounts) > 1

    def _go_round(self, lanes: list[Lane], turn: Turn, first: str | None) -> None:
        """Each lane when it is due, until all are done or none has a chance."""
        waiting = list(lanes)
        while waiting and not turn.over and turn.missed < CONNECT_TRIES:
            lane = min(waiting, key=lambda lane: lane.due)
            pause = max(0.0, max(lane.due, self._not_before) - time.monotonic())
            if pause >= turn.budget.left:
                return
            turn.budget.rest(pause)
            if not self._try(lane, turn, waits=lane.place == first):
                waiting.remove(lane)

    def _try(self, lane: Lane, turn: Turn, *, waits: bool) -> bool:
        """One lane once; whether it is worth another try."""
        if lane.place in self._unwelcome:
            lane.why = self._unwelcome[lane.place]
            return False
        if not self._journal.claim(lane.stored, self.owner):
            lane.due, lane.why = time.monotonic() + CLAIM_POLL, BUSY
            return waits
        try:
            return self._send(lane, turn)
        finally:
            if not self.leaving:
                self._journal.release(self.owner)

    def _send(self, lane: Lane, turn: Turn) -> bool:
        lane.why = None
        try:
            self._send_all(lane, turn)
        except Unreachable as error:
            self._come_back(lane, turn, error)
            return True
        except Unauthorized as error:
            turn.over = True
            self._unwelcome[lane.place] = lane.why = str(error)
        except DeliveryError as error:
            lane.why = str(error)
        return False

    def _come_back(self, lane: Lane, turn: Turn, error: Unreachable) -> None:
        """When: as the server asked, and later each time, with jitter against stampedes."""
        import random  # slow to wake

        lane.why = str(error)
        lane.tried += 1
        turn.missed = 0 if error.connected else turn.missed + 1
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(lane.tried - 1, 9))
        lane.due = time.monotonic() + longest * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
        if error.again is not None:
            self._not_before = time.monotonic() + error.again

    def _send_all(self, lane: Lane, turn: Turn) -> None:
        """The oldest first. Raises the first reason to stop."""
        for entry in self._entries(lane, turn):
            if not turn.budget.left:
                raise DeliveryError(OUT_OF_TIME)
            try:
                self._uploader.send(entry.body, self._where(entry), turn.budget.left)
            except Refused as error:
                self._settle(entry, turn, Status.REFUSED, str(error))
                turn.done.refused.append(entry.event_id)
                turn.done.reason = str(error)
            except DeliveryError as error:
                self._journal.settle(entry.event_id, Status.PENDING, str(error))
                raise
            else:
                self._settle(entry, turn, Status.DELIVERED)
                turn.done.delivered.append(entry.event_id)
            lane.tried = turn.missed = 0
            turn.tell(turn.done)

    def _settle(self, entry: Entry, turn: Turn, status: Status, reason: str | None = None) -> None:
        self._journal.settle(entry.event_id, status, reason)
        turn.seen.add(entry.event_id)

    def _entries(self, lane: Lane, turn: Turn) -> Iterator[Entry]:
        """What waits in a lane; what is put while it is being sent follows in the same turn."""
        while entries := self._waiting(lane, turn):
            yield from entries

    def _waiting(self, lane: Lane, turn: Turn) -> list[Entry]:
        return [
            entry
            for entry in self._journal.waiting(refused=turn.refused)
            if lane_of(entry.destination) in lane.stored
            and self._place(entry) == lane.place
            and entry.event_id not in turn.seen
        ]

    def _where(self, entry: Entry) -> Destination:
        """Where an event goes. Raises DeliveryError where that is not known, or not ours."""
        its, mine = entry.destination.account, self._mine.account
        if self._foreign(entry.destination):
            raise DeliveryError(f"this event is of account {its}, the key is of {mine}")
        where = self._filled(entry.destination)
        if missing := where.missing():
            names = " and ".join(f"TFEVENTS_{name.upper()}" for name in missing)
            raise DeliveryError(f"not known where to: set {names}")
        return where

    def _tell_rest(self, turn: Turn, lanes: list[Lane]) -> None:
        """What stayed, and why."""
        turn.done.kept = [e.event_id for lane in lanes for e in self._waiting(lane, turn)]
        reasons = [lane.why for lane in lanes if lane.why]
        if turn.done.kept:
            turn.done.reason = next(iter(reasons), turn.done.reason or OUT_OF_TIME)
