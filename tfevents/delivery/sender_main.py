"""Runs in the sender process: sends the pending events of one run's destination until the run ends.

The run's process controls it over a pipe, see sender_process.py.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from math import inf
from typing import BinaryIO

import msgspec

from tfevents.deadline import Deadline
from tfevents.delivery.sender import FlushState, Sender
from tfevents.delivery.sender_process import Order, SenderConfig, SenderReport, parse_order
from tfevents.errors import TfeventsError
from tfevents.journal.journal import open_journal
from tfevents.journal.models import own_queues
from tfevents.journal.run_lock import hold_lock
from tfevents.settings.model import ApiKey, Settings

ABANDONED_SECONDS = 1.5
"""Seconds to go on sending after the run's process closed the pipe or was killed."""


class Orders:
    """The orders that the run's process sends after the first line, read by a thread.

    `deadline`: unlimited until the last order or the end of the pipe. `new_events`: set by a new
    order.
    """

    def __init__(self, pipe: BinaryIO) -> None:
        self.deadline, self.new_events, self._ending = Deadline(inf), threading.Event(), False
        threading.Thread(target=self._read, args=(pipe,), daemon=True).start()

    def _read(self, pipe: BinaryIO) -> None:
        for line in pipe:
            order = parse_order(line, Order)
            if order.seconds is None:
                self.new_events.set()
            else:
                self._end(order.seconds)
        self._end(ABANDONED_SECONDS)

    def _end(self, seconds: float) -> None:
        self.deadline.limit(seconds)
        if not self._ending:
            self._ending = True
            self.new_events.set()

    def rounds(self) -> Iterator[FlushState]:
        """Yields the state for each flush to do; the last one keeps its claims. Blocks in between.

        No order ends the last flush early: its `new_events` is one of its own that nothing sets.
        """
        while not self._ending:
            yield FlushState(self.deadline, wait_for_claims=True, new_events=self.new_events)
            self.new_events.wait()
            self.new_events.clear()  # before `_ending` is read: a later order sets it again
        yield FlushState(self.deadline, wait_for_claims=True, keep_claims=True)


def main() -> None:
    """Sends as ordered on descriptor 0, reports on 1, and ends the process at once, without waiting
    for unfinished requests."""
    gc.set_threshold(100_000)  # imported modules are never garbage: saves collections
    report = SenderReport()
    try:
        pipe = os.fdopen(0, "rb", closefd=False)
        if first := pipe.readline():
            config = parse_order(first, SenderConfig)
            report = SenderReport(send(config, Orders(pipe)))
    except Exception as error:  # broad on purpose: the run shows it
        ours = isinstance(error, TfeventsError)
        report = SenderReport(problem=str(error) if ours else f"{type(error).__name__} (a bug)")
    with suppress(OSError):  # the run's process has ended
        os.write(1, msgspec.json.encode(report))
    os._exit(0)


def send(config: SenderConfig, orders: Orders) -> str | None:
    """Why the last flush kept events; None if none. Raises SettingError, JournalUnavailable."""
    queues = own_queues(config.destination, config.directory, config.tf_workspace)
    journal, reason = open_journal(config.home), None
    with hold_lock(journal.home) as lock:
        sender = Sender(journal, _settings(config), lock.identity)
        for state in orders.rounds():
            reason = sender.flush(queues, state).reason
    return reason


def _settings(config: SenderConfig) -> Settings:
    return Settings(
        home=config.home,
        url=config.url,
        api_path=config.api_path,
        api_key=ApiKey(config.api_key),
        account=config.destination.account,
        ca_bundle=config.ca_bundle,
    )
