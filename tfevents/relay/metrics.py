"""The Prometheus metrics of a relay. They name no workspace and no key."""

from __future__ import annotations

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    generate_latest,
)

from tfevents.errors import DeliveryError, Refused
from tfevents.relay.outbox import Backlog

MEDIA_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The counters of this process, and the backlog of its database (which relays may share)."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.accepted = self._count("accepted", "Events that were committed and answered with 200")
        self._delivered = self._count("delivered", "Events that the service took")
        self._refused = self._count("refused", "Events that the service will never take")
        self._failed = self._count("failed_attempts", "Attempts after which an event still waits")
        self._waiting = self._gauge("waiting_events", "Events that are to be delivered")
        self._held = self._gauge("held_events", "Those whose key the service does not take")
        self._oldest = self._gauge("oldest_waiting_seconds", "Age of the oldest that waits")

    def count_result(self, error: DeliveryError | None) -> None:
        """Counts the result of one delivery attempt; None: delivered."""
        kind = self._failed if error else self._delivered
        (self._refused if isinstance(error, Refused) else kind).inc()

    def render(self, backlog: Backlog) -> bytes:
        """All metrics in the Prometheus text format."""
        self._waiting.set(backlog.waiting)
        self._held.set(backlog.held)
        self._oldest.set(backlog.oldest_seconds)
        return generate_latest(self._registry)

    def _count(self, name: str, words: str) -> Counter:
        return Counter(f"tfevents_relay_{name}", words, registry=self._registry)

    def _gauge(self, name: str, words: str) -> Gauge:
        return Gauge(f"tfevents_relay_{name}", words, registry=self._registry)
