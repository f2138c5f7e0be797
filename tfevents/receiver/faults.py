"""Rehearsed outages: which requests are answered with an error on purpose, and how late."""

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
"""The statuses of the contract, and what stands before the service, with goa's names."""


class Outage(Struct, frozen=True):
    """A status that requests are answered with: the next `times`, or all of them (None)."""

    status: int
    times: int | None = None


class Faults:
    """Says of each request, in their order, whether it fails, and with what."""

    def __init__(self, outages: tuple[Outage, ...] = (), delay: float = 0.0) -> None:
        """`outages` come one after the other; each answer is `delay` seconds late."""
        self.delay = delay
        self._statuses = list(outages)
        self._met = 0

    def next_error(self) -> ContractError | None:
        """The error that the next request meets; None where there is none."""
        while self._statuses:
            outage = self._statuses[0]
            if outage.times is None or self._met < outage.times:
                self._met += 1
                name = NAMES[outage.status]
                return ContractError(outage.status, name, "an outage that was asked for")
            self._statuses.pop(0)
            self._met = 0
        return None


def parse_outage(text: str) -> Outage:
    """`503` or `503:3`. Raises ValueError, which says what is wrong."""
    match = re.fullmatch(r"([0-9]{3})(?::([0-9]{1,6}))?", text)
    if match is None:
        raise ValueError("this is no STATUS or STATUS:TIMES")
    status = int(match[1])
    if status not in NAMES:
        raise ValueError(f"{status} is none of {', '.join(map(str, NAMES))}")
    return Outage(status, int(match[2]) if match[2] else None)
