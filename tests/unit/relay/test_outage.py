"""How a relay detects that the server upstream is down, by the results of requests."""

from __future__ import annotations

import pytest
from support.machine import until

from tfevents.errors import DeliveryError, Refused, Unauthorized, Unreachable
from tfevents.relay.outage import OUTAGE_FAILURES, Outage


def miss(outage: Outage, error: DeliveryError, times: int) -> None:
    """Records so many failed requests."""
    for _ in range(times):
        assert outage.allow_request()
        outage.record_result(error)
        outage.end_request()


@pytest.mark.parametrize("error", [Unreachable("away"), DeliveryError("another server's URL")])
def test_one_asks_whether_it_is_back(
    error: DeliveryError, capfd: pytest.CaptureFixture[str]
) -> None:
    """After several failures in a row, one request at a time is allowed; the first success ends the
    outage. A line is printed at its beginning and its end."""
    outage = Outage()
    miss(outage, error, OUTAGE_FAILURES)
    until(outage.allow_request)
    assert not outage.allow_request()
    outage.record_result(None)
    assert outage.allow_request()
    assert outage.allow_request()
    lines = [f"tfevents: events wait: {error}", "tfevents: events are delivered again"]
    assert capfd.readouterr().err.splitlines() == lines


@pytest.mark.parametrize(
    "error", [None, Refused("no"), Unauthorized("no"), Unreachable("423", locked=True)]
)
def test_an_answer_is_no_outage(error: DeliveryError | None) -> None:
    """Any answer of the server, also one that refuses the event or the key, or says that the
    workspace is locked, ends a series of failures."""
    outage = Outage()
    miss(outage, Unreachable("busy"), OUTAGE_FAILURES - 1)
    outage.record_result(error)
    miss(outage, Unreachable("busy"), OUTAGE_FAILURES - 1)
    assert outage.allow_request()
    assert outage.allow_request()
