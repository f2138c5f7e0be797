"""How the sender process follows the orders of its run."""

from __future__ import annotations

import os

from support.machine import until

from tfevents.delivery.sender_main import ABANDONED_SECONDS, Orders
from tfevents.delivery.sender_process import Order, encode_order


def test_no_order_ends_the_last_flush() -> None:
    """Neither the order that begins the last flush nor a later one ends it early; otherwise the
    run's end event would not be sent."""
    reading, writing = os.pipe()
    with open(reading, "rb") as pipe, open(writing, "wb", buffering=0) as run:
        orders = Orders(pipe)
        run.write(encode_order(Order(60.0)))
        *_, state = orders.rounds()
        run.write(encode_order(Order()))
        assert orders.new_events.wait(60)
        assert state.keep_claims
        assert not state.new_events.is_set()
        run.close()
        until(lambda: orders.deadline.seconds_left <= ABANDONED_SECONDS)


def test_an_order_ends_an_earlier_flush() -> None:
    """An order during an earlier flush ends its next pause, because there are new events."""
    reading, writing = os.pipe()
    with open(reading, "rb") as pipe, open(writing, "wb", buffering=0) as run:
        orders = Orders(pipe)
        rounds = orders.rounds()
        state = next(rounds)
        run.write(encode_order(Order()))
        assert state.new_events.wait(60)
        assert not next(rounds).keep_claims
        run.close()
        assert next(rounds).keep_claims
        until(lambda: orders.deadline.seconds_left <= ABANDONED_SECONDS)
