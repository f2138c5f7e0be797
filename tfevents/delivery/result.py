"""Holds the results of sending events and artifacts, and the reasons for keeping events."""

from __future__ import annotations

from msgspec import Struct

OUT_OF_TIME = "out of time (send it with: tfevents flush)"
BUSY = "another tfevents is sending it"
NO_KEY = "no TFEVENTS_API_KEY is set"
SENDER_BROKEN = "what sends it can't start (install tfevents again)"
SENDER_ENDED = "its sender was ended (send it with: tfevents flush)"


class FlushResult(Struct):
    """The ids of the events sent and kept by a flush; `reasons`: why they were kept, each once."""

    delivered: list[str] = []
    refused: list[str] = []
    kept: list[str] = []
    reasons: list[str] = []

    @property
    def reason(self) -> str | None:
        """The first of the reasons; None where no event was kept."""
        return next(iter(self.reasons), None)


class ArtifactResult(Struct):
    """The stored artifacts. `ids`: metadata fields → ids; `problems`: lines to show the user."""

    ids: dict[str, str] = {}
    problems: list[str] = []


def describe_missing(missing: list[str]) -> str:
    """The reason for keeping events whose destination lacks these fields: what to set."""
    return f"not known where to: set {' and '.join(f'TFEVENTS_{n.upper()}' for n in missing)}"
