"""The story of `flush`: what waits in the journals is sent, by somebody who has time for it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tfevents import closing, presence
from tfevents.delivery import BUSY, Budget, Courier, Delivered
from tfevents.entry import Entry, Status
from tfevents.errors import JournalUnavailable, SettingError
from tfevents.journal import Journal, open_journal
from tfevents.presence import Presence
from tfevents.record import dataclass
from tfevents.settings import Settings
from tfevents.spare import bring_home, find_spare

PATIENCE = 60.0
"""Seconds without a delivery after which a flush without a timeout gives up."""

CLAIM_POLL = 0.1
SLOW = 1.0
"""Seconds after which a person wants to see that something goes on."""

Tell = Callable[[Delivered], None]


@dataclass(frozen=True)
class Flushed:
    """What became of what had waited. `reasons`: why not, each once."""

    delivered: int = 0
    refused: int = 0
    kept: int = 0
    reasons: tuple[str, ...] = ()
    left: int = 0
    """Refused before, and not tried again."""
    dropped: int = 0
    closed: int = 0

    @property
    def waits(self) -> bool:
        """Whether something of what had waited was not delivered."""
        return bool(self.refused or self.kept)

    def lines(self) -> list[str]:
        """The result, as people want to know it."""
        numbers = {"delivered": self.delivered, "refused": self.refused, "kept": self.kept}
        said = ", ".join(f"{n} {what}" for what, n in numbers.items() if n)
        lines = [said or "nothing waits", *self.reasons]
        lines += [f"{_many(self.closed, 'run')} without an end, closed"] if self.closed else []
        if self.left:
            lines.append(f"{self.left} refused earlier, sent again by: tfevents flush --refused")
        if self.dropped:
            lines.append(f"{_many(self.dropped, 'undelivered event')} dropped: too old or too many")
        return lines


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def find_journal(home: str) -> Journal:
    """Home's journal, with what the spare one took in; the spare one where home can't be used.

    Raises JournalUnavailable.
    """
    try:
        journal = open_journal(home)
    except JournalUnavailable:
        spare = find_spare()
        if spare is None:
            raise
        return spare
    bring_home(journal)
    return journal


@contextmanager
def appeared(journal: Journal) -> Iterator[Presence]:
    """A presence that can claim in this journal; it needs no room for plans.

    Raises JournalUnavailable.
    """
    home = journal.home or presence.spare_home()
    try:
        present = presence.appear(home, room=0)
    except OSError as error:
        reason = f"{os.path.join(home, 'runs')} can't be written: {error.strerror}"
        raise JournalUnavailable(reason) from None
    try:
        yield present
    finally:
        present.end()


@dataclass(frozen=True)
class Flush:
    """One flush. `seconds`: for all of it; None: as long as it gets on."""

    settings: Settings
    env: Mapping[str, str]
    refused: bool = False
    seconds: float | None = None

    def run(self) -> Flushed:
        """Raises SettingError where there is no key, and JournalUnavailable."""
        journal = find_journal(self.settings.home)
        if self.settings.api_key is None:
            waiting = _many(len(journal.waiting()), "event")
            raise SettingError(
                f"no API key is set, {waiting} waiting: set TFEVENTS_API_KEY"
                " or TFEVENTS_API_KEY_FILE"
            )
        with appeared(journal) as present:
            return self._flush(journal, present.identity)

    def _flush(self, journal: Journal, me: str) -> Flushed:
        closed = closing.close_gone(journal, self.env)
        before = {entry.event_id: entry for entry in journal.waiting(refused=self.refused)}
        with _progress(len(before)) as tell:
            courier = Courier(journal, self.settings, me)
            reason = self._send(courier, journal, me, tell) if before else None
        after = {entry.event_id: entry for entry in journal.waiting(refused=True)}
        left = [entry for entry in after.values() if entry.status is Status.REFUSED]
        stayed = [after[event_id] for event_id in before if event_id in after]
        refused = [entry for entry in stayed if entry.status is Status.REFUSED]
        return Flushed(
            delivered=len(before) - len(stayed),
            refused=len(refused),
            kept=len(stayed) - len(refused),
            reasons=_reasons(before, stayed, reason),
            left=len(left) - len(refused),
            dropped=journal.prune(),
            closed=closed,
        )

    def _send(self, courier: Courier, journal: Journal, me: str, tell: Tell) -> str | None:
        """Round after round while it gets on, or while others hold what is left."""
        budget = Budget(PATIENCE if self.seconds is None else self.seconds)
        done = courier.flush(budget, refused=self.refused, tell=tell)
        while done.kept and (done.delivered or _freed(done, journal, me, budget)) and budget.left:
            if self.seconds is None and done.delivered:
                budget = Budget(PATIENCE)
            done = courier.flush(budget, tell=tell)
        return done.reason


def _freed(done: Delivered, journal: Journal, me: str, budget: Budget) -> bool:
    """Whether somebody else was sending, and isn't for the moment."""
    if done.reason != BUSY and not journal.busy(me):
        return False
    budget.rest(CLAIM_POLL)
    while journal.busy(me) and budget.left:
        budget.rest(CLAIM_POLL)
    return budget.left > 0


def _reasons(
    before: Mapping[str, Entry], stayed: list[Entry], reason: str | None
) -> tuple[str, ...]:
    """Why events stayed: by what was tried; one that was not even tried waits for the others."""
    tried = [entry for entry in stayed if entry.attempts > before[entry.event_id].attempts]
    told = [f"{_verb(entry)}: {entry.reason}" for entry in tried if entry.reason]
    if stayed and not told:
        told = [f"kept: {reason or 'out of time'}"]
    return tuple(dict.fromkeys(told))


def _verb(entry: Entry) -> str:
    return "refused" if entry.status is Status.REFUSED else "kept"


@contextmanager
def _progress(total: int) -> Iterator[Tell]:
    """Tells a person who waits how far it is: on a terminal, and only if it takes long."""
    if not total or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    status = Console(stderr=True).status(f"delivering {_many(total, 'event')}")
    timer = threading.Timer(SLOW, status.start)
    timer.start()
    count = iter(range(1, sys.maxsize))
    try:
        yield lambda _: status.update(f"delivering {_many(total, 'event')}: {next(count)} sent")
    finally:
        timer.cancel()
        timer.join()
        status.stop()
