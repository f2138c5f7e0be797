"""Simulated outages follow one another and end as configured."""

from __future__ import annotations

import pytest

from tfevents.receiver.faults import Faults, Outage, parse_outage


def list_statuses(faults: Faults, count: int) -> list[int | None]:
    """The statuses of the next `count` requests; None for a request that succeeds."""
    errors = [faults.next_error() for _ in range(count)]
    return [error and error.status for error in errors]


def test_each_outage_for_as_many_requests_as_it_says() -> None:
    """Each outage lasts for its number of requests; after the last one, requests succeed."""
    faults = Faults((Outage(503, 2), Outage(429, 0), Outage(423, 1)))
    assert list_statuses(faults, 5) == [503, 503, 423, None, None]


def test_an_outage_without_an_end() -> None:
    """An outage without a number never ends, so that a later one never begins."""
    assert list_statuses(Faults((Outage(423), Outage(500, 1))), 3) == [423] * 3


def test_what_can_be_asked_for() -> None:
    """An outage is given as a status, or as a status and a number of requests."""
    assert (parse_outage("503:3"), parse_outage("423")) == (Outage(503, 3), Outage(423))


@pytest.mark.parametrize("text", ["", "503:", "503:-1", "x", "200", "600", "503:3:1", "５０３"])
def test_what_cant(text: str) -> None:
    """Any other text, and a status that is none of the known errors, is refused."""
    with pytest.raises(ValueError, match=r"none of|no STATUS"):
        parse_outage(text)
