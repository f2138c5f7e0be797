"""Whether the server upstream is away, by what requests end with."""

from __future__ import annotations

import pytest
from support.machine import until

from tfevents.errors import DeliveryError, Refused, Unauthorized, Unreachable
from tfevents.relay.outage import OUTAGE_FAILURES, Outage


def miss(outage: Outage, error: DeliveryError, times: int) -> None:
    for _ in range(times):
        assert outage.allow_request()
        outage.record_result(error)
        outage.end_request()


@pytest.mark.parametrize("error", [Unreachable("away"), DeliveryError("another server's URL")])
def test_one_asks_whether_it_is_back(
    error: DeliveryError, capfd: pytest.CaptureFixture[str]
) -> None:
    """After some that failed in a row; the first answer ends it."""
    outage = Outage()
    miss(outage, error, OUTAGE_FAILURES)
    until(outage.allow_request)
    assert not outage.allow_request()
    outage.record_result(None)
    assert outage.allow_request()
    assert outage.allow_request()
    lines = [f"tfevents: events wait: {error}", "tfevents: events are delivered again"]
    assert capfd.readouterr().err.splitlines() == lines


@pytest.mark.parametrize("error", [None, Refused("no"), Unauthorized("no")])
def test_an_answer_is_no_outage(error: DeliveryError | None) -> None:
    """Whatever it says of the event."""
    outage = Outage()
    miss(outage, Unreachable("busy"), OUTAGE_FAILURES - 1)
    outage.record_result(error)
    miss(outage, Unreachable("busy"), OUTAGE_FAILURES - 1)
    assert outage.allow_request()
    assert outage.allow_request()
