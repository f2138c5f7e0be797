"""What a state holds: which objects and outputs, whose serial, and no value of any of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from tfevents.terraform.values import digest_value

Key = tuple[str, str | None]
"""An object's address, as `literal` makes it, and, for a deposed object, its key."""

Identity = tuple[int, str]
"""Serial and lineage: what terraform itself knows a stored state by."""

NEVER_WRITTEN: Identity = (0, "")
"""Where there is no state; a plan made then says so of its prior state."""

NULL = digest_value(None)
"""An output whose value is null; OpenTofu stores one where it was not known."""

ESCAPED = r'\\(?:([nrt"\\])|u([0-9a-f]{4})|U(00(?:0[0-9a-f]|10)[0-9a-f]{4}))|([$%])\4\{'
WRITTEN = {"n": "\n", "r": "\r", "t": "\t"}


def literal(address: str) -> str:
    """An address with its keys as they are, not as HCL quotes them (addrs.toHCLQuotedString).

    What has to be quoted depends on the Unicode version that terraform was built with, so
    addresses from two sources only compare without it.
    """
    return re.sub(ESCAPED, _literal, address) if "\\" in address or "{" in address else address


def _literal(found: re.Match[str]) -> str:
    simple, short, long, mark = found.groups()
    if mark:
        return f"{mark}{{"
    return WRITTEN.get(simple, simple) if simple else chr(int(short or long, 16))


class StateObject(Struct, frozen=True):
    """A managed object: a digest of its values, which only compares within one form of state.

    `nonempty`: of those that are not empty, for telling drift from noise; b"" of a shown state.
    """

    values: bytes
    tainted: bool = False
    nonempty: bytes = b""


class State(Struct, frozen=True):
    """`serial`, `lineage`, `checksum` and `stored_outputs` are only known of a state file.

    `outputs`: a digest of each one's value. `stored_outputs`: a digest of all that is stored of it:
    terraform calls an output changed if only its type or its sensitivity is (node_output.go).
    `checksum`: sha-256 of the state file, lower-case hex.
    """

    objects: Mapping[Key, StateObject] = {}
    outputs: Mapping[str, bytes] = {}
    stored_outputs: Mapping[str, bytes] = {}
    terraform_version: str | None = None
    format_version: str | None = None
    serial: int | None = None
    lineage: str | None = None
    checksum: str | None = None

    @property
    def identity(self) -> Identity:
        """Which state this is, as it was stored."""
        return (self.serial or 0, self.lineage or "")

    @property
    def empty(self) -> bool:
        """No managed object and no output that says anything: data sources are nothing that anyone
        has to destroy, and an output that is null is as good as none."""
        return not self.objects and all(value == NULL for value in self.outputs.values())

    @property
    def managed(self) -> int:
        """How many current (not deposed) managed objects there are."""
        return sum(deposed is None for _, deposed in self.objects)

    @property
    def tainted(self) -> int:
        """How many objects wait to be replaced because their creation failed."""
        return sum(state_object.tainted for state_object in self.objects.values())
