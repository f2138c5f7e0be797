"""Deadlines: parts of them, shortening, renewal and waiting."""

from __future__ import annotations

from threading import Event

from tfevents.deadline import Deadline


def test_a_part_ends_with_the_whole() -> None:
    """If a deadline is shortened, as by a signal, its parts end with it."""
    whole = Deadline(3600)
    half = whole.part(0.5)
    assert 1700 < half.seconds_left <= 1800
    whole.limit(0)
    assert half.seconds_left == 0


def test_a_part_that_is_over_leaves_the_rest() -> None:
    whole = Deadline(3600)
    whole.part(0)
    assert whole.seconds_left > 3500


def test_it_comes_nearer_and_never_goes_away() -> None:
    """Neither `limit` nor `renew` can extend an ordinary deadline."""
    deadline = Deadline(10)
    deadline.limit(3600)
    assert deadline.seconds_left <= 10
    deadline.renew()
    assert deadline.seconds_left <= 10


def test_patience_begins_anew() -> None:
    """A renewed deadline starts again, even after `limit`: a flush without a timeout goes on while
    events are delivered."""
    patience = Deadline(3600, renewed=True)
    patience.limit(0)
    patience.renew()
    assert patience.seconds_left > 3500


def test_waiting_ends_with_the_event_or_the_deadline() -> None:
    event = Event()
    assert not Deadline(0).wait(event, 3600)
    assert not Deadline(3600).wait(event, 0)
    event.set()
    assert Deadline(0).wait(event, 0)
