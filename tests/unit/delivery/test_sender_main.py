"""The orders of a run as its sender process takes them."""

from __future__ import annotations

import os

from support.machine import until

from tfevents.delivery.sender_main import ABANDONED_SECONDS, Orders
from tfevents.delivery.sender_process import Order, encode_order


def test_no_order_ends_the_last_flush() -> None:
    """Neither the last one nor one that comes after it: the run's end event would not be sent."""
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
    """At its next pause: there are new events."""
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
