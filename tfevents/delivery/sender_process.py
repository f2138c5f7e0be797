"""A run's sender, seen from the run: a process of its own, told over a pipe what to send.

It is started while terraform works, so that imports and connections cost no time afterwards. The
journal is all that it shares with the run: whichever of the two is killed, no event is lost or
comes twice.
"""

from __future__ import annotations

import json
import os
import select
import time
from math import inf
from subprocess import Popen
from typing import IO, TypeVar

import msgspec
from msgspec import Struct

from tfevents.deadline import Deadline
from tfevents.delivery.result import SENDER_BROKEN, SENDER_ENDED
from tfevents.journal.models import Destination
from tfevents.settings.model import Settings

T = TypeVar("T", bound=Struct)
GRACE_SECONDS = 2.0
"""How long after the deadline, which it knows, a busy machine may need to let it say so."""


class SenderConfig(Struct, frozen=True):
    """The first line: what is sent, from where, to whom."""

    home: str
    destination: Destination
    directory: str
    tf_workspace: str
    url: str
    api_path: str
    api_key: str
    ca_bundle: str | None


class Order(Struct, frozen=True):
    """Each later line: there is more to send. `seconds`: it is the last, and has so long."""

    seconds: float | None = None


class SenderReport(Struct, frozen=True):
    """The answer: why something stayed, where it did; and what broke, where something did."""

    reason: str | None = None
    problem: str | None = None


class SenderProcess:
    """Started where there may be a key; ends when it is told to, or when we are gone."""

    def __init__(self, process: Popen[bytes]) -> None:
        """`process`: from sender_start."""
        self.began, self._end = False, inf
        self._process = process

    def begin(self, settings: Settings, home: str, directory: str, tf_workspace: str) -> None:
        """Sends what waits in the journal under `home` for the run's destination: what was put for
        that, and what its directory put before there was a key."""
        s, self.began = settings, True
        self._order(
            SenderConfig(
                home=home,
                destination=Destination(s.account, s.org, s.project, s.workspace),
                directory=directory,
                tf_workspace=tf_workspace,
                url=s.url,
                api_path=s.api_path,
                api_key=s.api_key.secret if s.api_key else "",
                ca_bundle=s.ca_bundle,
            )
        )

    def notify(self) -> None:
        """There is more to send."""
        if self.began:
            self._order(Order())

    def finish(self, deadline: Deadline) -> None:
        """What is there now is the last. Said again where the deadline has come nearer."""
        end = time.monotonic() + deadline.left
        if self.began and end < self._end - 0.05:
            self._end = end
            self._order(Order(deadline.left))

    def wait(self, deadline: Deadline) -> SenderReport:
        """What it has to say, after the deadline at the latest."""
        answers, said = _pipe(self._process.stdout), b""
        poll = select.poll()
        poll.register(answers, select.POLLIN)
        self.finish(deadline)
        while self.began and time.monotonic() < self._end + GRACE_SECONDS:
            if poll.poll(50):
                piece = os.read(answers, 65536)
                said += piece
                if not piece:
                    break
            self.finish(deadline)
        self._end_process()
        return _parse_report(said, self._process.returncode)

    def abandon(self) -> None:
        """Nobody waits for it: it ends at once, or by itself with what is on its way."""
        if not self.began:
            self._end_process()
        elif self._process.stdin is not None:
            self._process.stdin.close()

    def _end_process(self) -> None:
        """Whatever holds it; its claims are void with that."""
        self._process.kill()
        self._process.communicate()

    def _order(self, order: SenderConfig | Order) -> None:
        """One line; a sender that is gone is noticed at the end."""
        try:
            os.write(_pipe(self._process.stdin), write_order(order))
        except OSError:
            return


def write_order(order: SenderConfig | Order) -> bytes:
    """One line. In it, and in what is read of it, a path may be no UTF-8, which msgspec's own JSON
    does not take."""
    return json.dumps(msgspec.to_builtins(order)).encode() + b"\n"


def parse_order(line: bytes, kind: type[T]) -> T:
    """What the other side wrote. Raises ValueError. One thread of a process meets each of the
    types (see readers/decoders.py)."""
    return msgspec.convert(json.loads(line), kind)


def _pipe(end: IO[bytes] | None) -> int:
    assert end is not None  # noqa: S101  # it was asked for
    return end.fileno()


def _parse_report(said: bytes, code: int) -> SenderReport:
    try:
        return parse_order(said, SenderReport)
    except ValueError:
        return SenderReport(reason=SENDER_BROKEN if code > 0 else SENDER_ENDED)
