"""What was sent and what was stored, and the words for why an event stayed."""

from __future__ import annotations

from msgspec import Struct

OUT_OF_TIME = "out of time (send it with: tfevents flush)"
BUSY = "another tfevents is sending it"
NO_KEY = "no TFEVENTS_API_KEY is set"
SENDER_BROKEN = "what sends it can't start (install tfevents again)"
SENDER_ENDED = "its sender was ended (send it with: tfevents flush)"


class FlushResult(Struct):
    """Event ids, and why the rest stayed, each reason once."""

    delivered: list[str] = []
    refused: list[str] = []
    kept: list[str] = []
    reasons: list[str] = []

    @property
    def reason(self) -> str | None:
        """The first; None where nothing stayed."""
        return next(iter(self.reasons), None)


class ArtifactResult(Struct):
    """What was stored: metadata by the contract's names; `problems`: what to tell of it."""

    ids: dict[str, str] = {}
    problems: list[str] = []


def describe_missing(missing: list[str]) -> str:
    """What to do for events that will come: where they go is not known."""
    return f"not known where to: set {' and '.join(f'TFEVENTS_{n.upper()}' for n in missing)}"
