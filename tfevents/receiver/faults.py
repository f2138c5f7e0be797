"""Simulated outages: which requests are answered with an error on purpose, and with what delay."""

from __future__ import annotations

import re

from msgspec import Struct

from tfevents.receiver.contract import ContractError

NAMES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    408: "timeout",
    409: "conflict",
    413: "request_entity_too_large",
    415: "unsupported_media_type",
    423: "locked",
    425: "too_early",
    429: "too_many_requests",
    499: "context_cancelled",
    500: "internal_server_error",
    502: "bad_gateway",
    503: "service_unavailable",
    504: "gateway_timeout",
}
"""The statuses that can be simulated, with goa's names: those of the contract, and those of
gateways in front of the service."""


class Outage(Struct, frozen=True):
    """An HTTP status that the next `times` requests are answered with; None: all requests."""

    status: int
    times: int | None = None


class Faults:
    """Decides for each POST request, in order of arrival, whether it fails and with which error."""

    def __init__(self, outages: tuple[Outage, ...] = (), delay: float = 0.0) -> None:
        """`outages` follow one another; each response of the API is delayed by `delay` seconds."""
        self.delay = delay
        self._outages = list(outages)
        self._answered = 0

    def next_error(self) -> ContractError | None:
        """The error to answer the next request with; None if it is to be processed normally."""
        while self._outages:
            outage = self._outages[0]
            if outage.times is None or self._answered < outage.times:
                self._answered += 1
                name = NAMES[outage.status]
                return ContractError(outage.status, name, "an outage that was asked for")
            self._outages.pop(0)
            self._answered = 0
        return None


def parse_outage(text: str) -> Outage:
    """Parses STATUS or STATUS:TIMES, such as `503:3`. Raises ValueError with a message for the
    user."""
    match = re.fullmatch(r"([0-9]{3})(?::([0-9]{1,6}))?", text)
    if match is None:
        raise ValueError("this is no STATUS or STATUS:TIMES")
    status = int(match[1])
    if status not in NAMES:
        raise ValueError(f"{status} is none of {', '.join(map(str, NAMES))}")
    return Outage(status, int(match[2]) if match[2] else None)
