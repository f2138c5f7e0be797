"""Controls a run's sender process from the run's process, over a pipe.

The sender process imports and connects while terraform works, so that this costs no time
afterwards. The two processes share only the journal: whichever of them is killed, no event is lost
or delivered twice.
"""

from __future__ import annotations

import json
import os
import select
import time
from math import inf
from typing import IO, Protocol, TypeVar

import msgspec
from msgspec import Struct

from tfevents.deadline import Deadline
from tfevents.delivery.result import SENDER_BROKEN, SENDER_ENDED
from tfevents.journal.models import Destination
from tfevents.settings.model import Settings

T = TypeVar("T", bound=Struct)
GRACE_SECONDS = 2.0
"""Seconds to wait for the report after the deadline, as a busy machine may delay the sender."""


class SenderConfig(Struct, frozen=True):
    """The first line for the sender process: the journal, the run's destination and the server."""

    home: str
    destination: Destination
    directory: str
    tf_workspace: str
    url: str
    api_path: str
    api_key: str
    ca_bundle: str | None


class Order(Struct, frozen=True):
    """Each later line: new events are pending. `seconds`: the time left, in the last one only."""

    seconds: float | None = None


class SenderReport(Struct, frozen=True):
    """The sender's answer. `reason`: why events were kept; `problem`: an error; None if none."""

    reason: str | None = None
    problem: str | None = None


class StartedProcess(Protocol):
    """What is used of subprocess.Popen, for a process that was started with two pipes."""

    @property
    def stdin(self) -> IO[bytes] | None: ...  # noqa: D102
    @property
    def stdout(self) -> IO[bytes] | None: ...  # noqa: D102
    def kill(self) -> None: ...  # noqa: D102
    def wait(self) -> int: ...  # noqa: D102


class SenderProcess:
    """The sender process of a run; it ends after `finish`, or when the run's process ends."""

    def __init__(self, process: StartedProcess) -> None:
        """`process`: from `sender_start.start_sender` or `wrapper.sender.fork_sender`."""
        self.began, self._end = False, inf
        self._process = process

    def begin(self, settings: Settings, home: str, directory: str, tf_workspace: str) -> None:
        """Tells the sender process to send the run's events from the journal under `home`.

        Also earlier events of the same directory, recorded without an account as there was no API
        key (see `own_queues`).
        """
        self.began = True
        self._write_order(
            SenderConfig(
                home=home,
                destination=Destination.of(settings),
                directory=directory,
                tf_workspace=tf_workspace,
                url=settings.url,
                api_path=settings.api_path,
                api_key=settings.api_key.secret if settings.api_key else "",
                ca_bundle=settings.ca_bundle,
            )
        )

    def notify(self) -> None:
        """Tells the sender process that new events are pending."""
        if self.began:
            self._write_order(Order())

    def finish(self, deadline: Deadline) -> None:
        """Tells the sender process to end after the events pending now, within the deadline.

        A further call has an effect only where the deadline is nearer than before.
        """
        end = time.monotonic() + deadline.seconds_left
        if self.began and end < self._end - 0.05:
            self._end = end
            self._write_order(Order(deadline.seconds_left))

    def wait(self, deadline: Deadline) -> SenderReport:
        """Waits for the sender's report, then kills the process.

        Waits until GRACE_SECONDS after the deadline at most.
        """
        descriptor, received = _get_descriptor(self._process.stdout), b""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        self.finish(deadline)
        while self.began and time.monotonic() < self._end + GRACE_SECONDS:
            if poll.poll(50):
                piece = os.read(descriptor, 65536)
                received += piece
                if not piece:
                    break
            self.finish(deadline)
        return _parse_report(received, self._end_process())

    def abandon(self) -> None:
        """Kills the sender process if it has not begun to send, else closes its pipe; no waiting.

        Without the pipe, the sender ends within `sender_main.ABANDONED_SECONDS`.
        """
        if not self.began:
            self._end_process()
        elif self._process.stdin is not None:
            self._process.stdin.close()

    def _end_process(self) -> int:
        """Kills the sender process, whose lock is released, which makes its claims void. Gives its
        exit code, negative for the signal it died of."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return self._process.wait()

    def _write_order(self, order: SenderConfig | Order) -> None:
        """Writes one line to the pipe; a sender that has ended is noticed only in `wait`."""
        try:
            os.write(_get_descriptor(self._process.stdin), encode_order(order))
        except OSError:
            return


def encode_order(order: SenderConfig | Order) -> bytes:
    """One line of JSON; by `json`, as msgspec's encoder rejects paths that aren't UTF-8."""
    return json.dumps(msgspec.to_builtins(order)).encode() + b"\n"


def parse_order(line: bytes, kind: type[T]) -> T:
    """Parses a line of the other process. Raises ValueError.

    In each process, only one thread may use a given `kind` (see readers/decoders.py).
    """
    return msgspec.convert(json.loads(line), kind)


def _get_descriptor(pipe: IO[bytes] | None) -> int:
    assert pipe is not None  # noqa: S101  # Popen was called with PIPE
    return pipe.fileno()


def _parse_report(received: bytes, code: int) -> SenderReport:
    try:
        return parse_order(received, SenderReport)
    except ValueError:
        return SenderReport(reason=SENDER_BROKEN if code > 0 else SENDER_ENDED)
