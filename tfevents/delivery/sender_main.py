"""The sender's process: sends what waits for one run's destination, as `tfevents flush` does, until
that run is over or gone (sender_process.py starts it and tells it so)."""

from __future__ import annotations

import gc
import os
import sys
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
from tfevents.settings.model import Key, Settings

ABANDONED_SECONDS = 1.5
"""For what is on its way when the run is killed."""


class Orders:
    """What the run says after its first line, read by a thread."""

    def __init__(self, pipe: BinaryIO) -> None:
        self.deadline, self.more, self._ending = Deadline(inf), threading.Event(), False
        threading.Thread(target=self._read, args=(pipe,), daemon=True).start()

    def _read(self, pipe: BinaryIO) -> None:
        for line in pipe:
            order = parse_order(line, Order)
            if order.seconds is None:
                self.more.set()
            else:
                self._end(order.seconds)
        self._end(ABANDONED_SECONDS)

    def _end(self, seconds: float) -> None:
        self.deadline.limit(seconds)
        if not self._ending:
            self._ending = True
            self.more.set()

    def rounds(self) -> Iterator[bool]:
        """Each time that something is to be sent; True is the last."""
        while not self._ending:
            self.more.clear()
            yield False
            self.more.wait()
        self.more.clear()  # nothing sets it any more
        yield True


def main() -> None:
    """Ends this process: a request that nobody waits for any more must not hold it."""
    gc.set_threshold(100_000)  # what is imported stays: looking for garbage in it is in vain
    report = SenderReport()
    try:
        if first := sys.stdin.buffer.readline():
            config = parse_order(first, SenderConfig)
            report = SenderReport(send(config, Orders(sys.stdin.buffer)))
    except Exception as error:  # broad on purpose: the run's line says it
        ours = isinstance(error, TfeventsError)
        report = SenderReport(problem=str(error) if ours else f"{type(error).__name__} (a bug)")
    with suppress(OSError):  # the run is gone
        os.write(1, msgspec.json.encode(report))
    os._exit(0)


def send(config: SenderConfig, orders: Orders) -> str | None:
    """Why something stayed, if something did. Raises SettingError, JournalUnavailable."""
    queues = own_queues(config.destination, config.directory, config.tf_workspace)
    journal, reason = open_journal(config.home), None
    with hold_lock(journal.home) as lock:
        sender = Sender(journal, _settings(config), lock.identity)
        for last in orders.rounds():
            state = FlushState(orders.deadline, waits=True, last=last, more=orders.more)
            reason = sender.flush(queues, state).reason
    return reason


def _settings(config: SenderConfig) -> Settings:
    return Settings(
        home=config.home,
        url=config.url,
        api_path=config.api_path,
        api_key=Key(config.api_key),
        account=config.destination.account,
        ca_bundle=config.ca_bundle,
    )
