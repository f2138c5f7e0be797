"""What an apply has done so far, as terraform's own core log says it (readers/core_log.py)."""

from __future__ import annotations

import re

from msgspec import Struct

from tfevents.terraform.arguments import Mode
from tfevents.terraform.state import Identity, Key


class Failure(Struct, frozen=True):
    """A node of the apply graph that failed: of an object's creation or update, or, where
    `destroys`, of its deletion."""

    address: str
    destroys: bool
    deposed: str | None
    judged: bool
    """Whether the object itself came out well, and only a condition on it failed."""


class Move(Struct, frozen=True):
    """From and to; `along` matches what stands behind `target` where that has moved as well."""

    source: str
    target: str
    along: str

    def origin(self, address: str) -> str:
        """Where an address was before."""
        rest = address[len(self.target) :]
        along = address.startswith(self.target) and re.fullmatch(self.along, rest, re.DOTALL)
        return self.source + rest if along else address


class ApplyLog:
    """What the core log of one run says, as far as it was read. Addresses are `state.literal`."""

    def __init__(self) -> None:
        self.processes = self.plans = self.applies = self.graphs = 0
        self.product = self.version = ""
        """As the tool calls itself, and like 1.11.4; "" if it has not said."""
        self.mode: Mode | None = None
        """The planning mode that is applied; None before that."""
        self.asked = self.input_ended = False
        self.stopping = self.stopped = False
        self.gaps = False
        """Whether some of it may be missing: its disk was full."""
        self.begun: list[tuple[str, str]] = []
        """Address and `Create`, `Update` or `Delete`, once for each object, as it is begun."""
        self.failures: set[Failure] = set()
        self.forgets: set[Key] = set()
        self.remade: set[str] = set()
        """Addresses whose object is forgotten and made anew (OpenTofu ≥ 1.12)."""
        self.planned: dict[Key, str] = {}
        """What planning recorded of managed objects: `Create`, `NoOp`, `DeleteThenCreate`, …"""
        self.imports: set[str] = set()
        self.moves: list[Move] = []
        self.snapshot: Identity | None = None
        """The state that the run started from, where it is a local file; None where it is not."""

    @property
    def planning(self) -> bool:
        """Whether a local run has begun to plan."""
        return self.plans > 0

    @property
    def applied(self) -> bool:
        """Whether it went on to apply: approved, or never asked."""
        return self.applies > 0

    @property
    def sure(self) -> bool:
        """Whether all that was applied is this run's: a nested terraform may write here, too."""
        return self.applies == 1 and self.graphs == 1 and not self.gaps

    @property
    def acts(self) -> bool:
        """Whether anything has been begun; a provisioner may fail before its object is touched."""
        return bool(self.begun or self.forgets or self.failures)

    @property
    def broken(self) -> bool:
        """Whether it was told to stop and did not get to say that it had."""
        return self.stopping and not self.stopped
