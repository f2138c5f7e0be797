"""What a run has planned and applied so far, read from its core log (readers/core_log.py)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from tfevents.terraform.arguments import Mode
from tfevents.terraform.state import Identity, ObjectKey

ADDRESS_END = re.compile(r"(?=[.\[])|\Z")
"""Where the address of a module, a resource or an instance may end within a longer address."""


class Failure(Struct, frozen=True):
    """A node of terraform's apply graph that failed.

    `destroys`: the node was to delete the object, not to create or update it. `deposed`: the
    object's deposed key; None for the current object.
    """

    address: str
    destroys: bool
    deposed: str | None
    only_postcondition_failed: bool
    """Whether only a postcondition failed, after the object itself had been changed."""


class Move(Struct, frozen=True):
    """A move of the address `source` to `target`.

    `suffix_pattern`: a regular expression for the part of an address behind `target`; an address
    of which that part matches has moved, too.
    """

    source: str
    target: str
    suffix_pattern: str

    def origin(self, address: str) -> str:
        """The address before this move; the same address if this move did not affect it."""
        rest = address[len(self.target) :]
        below = address.startswith(self.target)
        has_moved = below and re.fullmatch(self.suffix_pattern, rest, re.DOTALL)
        return self.source + rest if has_moved else address


class MoveIndex:
    """The moves of a run by their target: a run may have many thousand moves and objects, so that
    not every move can be tried for every object."""

    def __init__(self, moves: Sequence[Move]) -> None:
        self._moves = moves
        self._positions: dict[str, list[int]] = {}
        for position, move in enumerate(moves):
            self._positions.setdefault(move.target, []).append(position)

    def find_origin(self, address: str) -> str:
        """The address of an object before all moves, which are undone from the last one back."""
        position = self._find_last(address, len(self._moves))
        while position >= 0:
            address = self._moves[position].origin(address)
            position = self._find_last(address, position)
        return address

    def has_moved(self, address: str) -> bool:
        """Whether any of the moves leads to this address."""
        return self._find_last(address, len(self._moves)) >= 0

    def _find_last(self, address: str, end: int) -> int:
        """The position of the last move before position `end` that leads to this address; -1 if
        there is none."""
        targets = (address[: found.start()] for found in ADDRESS_END.finditer(address))
        positions = (p for target in targets for p in self._positions.get(target, ()) if p < end)
        moved = (p for p in positions if self._moves[p].origin(address) != address)
        return max(moved, default=-1)


class ApplyLog:
    """What one run's core log has said so far. Addresses are unescaped (`unescape_address`)."""

    def __init__(self) -> None:
        self.processes = self.plans = self.applies = self.graphs = 0
        """How many terraform processes, plans, applies and apply graphs the log has announced."""
        self.product = self.version = ""
        """The tool's own name (Terraform or OpenTofu), and a version like 1.11.4; at first
        empty."""
        self.mode: Mode | None = None
        """The planning mode of the apply; None until the apply graph is built."""
        self.asked = self.input_ended = False
        """Whether terraform asked for approval, and whether its input ended (EOF) instead."""
        self.stopping = self.stopped = False
        """Whether terraform was told to stop, and whether it logged that it had stopped."""
        self.gaps = False
        """Whether part of the log may be missing because the disk was full."""
        self.begun: list[tuple[str, str]] = []
        """Address and action (`Create`, `Update`, `Delete`) of each change begun, in order."""
        self.failures: set[Failure] = set()
        self.forgets: set[ObjectKey] = set()
        """Objects that the apply is to remove from the state without destroying them."""
        self.forgotten_and_created: set[str] = set()
        """Addresses whose object is forgotten and created again (OpenTofu ≥ 1.12)."""
        self.planned: dict[ObjectKey, str] = {}
        """The action planned for each managed object: `Create`, `NoOp`, `DeleteThenCreate`, …"""
        self.imports: set[str] = set()
        """Addresses of the objects that the plan imports."""
        self.moves: list[Move] = []
        self.snapshot: Identity | None = None
        """The state that the run started from, if it is a local file; else None."""

    @property
    def planning(self) -> bool:
        """Whether terraform has begun to plan on this machine, not in HCP Terraform."""
        return self.plans > 0

    @property
    def applied(self) -> bool:
        """Whether terraform has begun to apply: the plan was approved or needed no approval."""
        return self.applies > 0

    @property
    def describes_one_apply(self) -> bool:
        """Whether the log describes exactly one apply, without gaps.

        A nested terraform may write to the same log; its changes can't be distinguished from this
        run's.
        """
        return self.applies == 1 and self.graphs == 1 and not self.gaps

    @property
    def has_acted(self) -> bool:
        """Whether any change, forget or failure of an object was logged.

        A failure alone counts: a `provisioner` block may fail before its object is changed.
        """
        return bool(self.begun or self.forgets or self.failures)

    @property
    def stop_unconfirmed(self) -> bool:
        """Whether terraform was told to stop and did not log that it had stopped."""
        return self.stopping and not self.stopped
