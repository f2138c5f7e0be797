"""Whether the server upstream is away, by what requests end with."""

from __future__ import annotations

import pytest
from support.machine import until

from tfevents.errors import DeliveryError, Refused, Unauthorized, Unreachable
from tfevents.relay.outage import MANY, Outage


def miss(outage: Outage, error: DeliveryError, times: int) -> None:
    for _ in range(times):
        assert outage.begin()
        outage.note(error)
        outage.end()


@pytest.mark.parametrize("error", [Unreachable("away"), DeliveryError("another server's URL")])
def test_one_asks_whether_it_is_back(
    error: DeliveryError, capfd: pytest.CaptureFixture[str]
) -> None:
    """After some that failed in a row; the first answer ends it."""
    outage = Outage()
    miss(outage, error, MANY)
    until(outage.begin)
    assert not outage.begin()
    outage.note(None)
    assert outage.begin()
    assert outage.begin()
    lines = [f"tfevents: events wait: {error}", "tfevents: events are delivered again"]
    assert capfd.readouterr().err.splitlines() == lines


@pytest.mark.parametrize("error", [None, Refused("no"), Unauthorized("no")])
def test_an_answer_is_no_outage(error: DeliveryError | None) -> None:
    """Whatever it says of the event."""
    outage = Outage()
    miss(outage, Unreachable("busy"), MANY - 1)
    outage.note(error)
    miss(outage, Unreachable("busy"), MANY - 1)
    assert outage.begin()
    assert outage.begin()
