"""The parts of a state that are needed: objects, outputs and identity, without their values."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from tfevents.terraform.values import digest_value

ObjectKey = tuple[str, str | None]
"""An object's unescaped address (`unescape_address`), its deposed key (None: a current object)."""

Identity = tuple[int, str]
"""Serial and lineage, by which terraform itself identifies a stored state."""

NEVER_WRITTEN: Identity = (0, "")
"""The identity if there is no state; a plan made then gives its prior state this identity."""

NULL = digest_value(None)
"""The digest of an output that is null; OpenTofu stores one if its value was unknown."""

ESCAPED = r'\\(?:([nrt"\\])|u([0-9a-f]{4})|U(00(?:0[0-9a-f]|10)[0-9a-f]{4}))|([$%])\4\{'
WRITTEN = {"n": "\n", "r": "\r", "t": "\t"}


def unescape_address(address: str) -> str:
    """An address as terraform prints it, with HCL's escapes in its keys (addrs.toHCLQuotedString)
    replaced by the characters that they stand for.

    Which characters HCL escapes depends on the Unicode version that terraform was built with, so
    addresses from two sources can only be compared unescaped.
    """
    return re.sub(ESCAPED, _unescape, address) if "\\" in address or "{" in address else address


def _unescape(found: re.Match[str]) -> str:
    """The character or marker that an escape sequence stands for."""
    simple, short, long, mark = found.groups()
    if mark:
        return f"{mark}{{"
    return WRITTEN.get(simple, simple) if simple else chr(int(short or long, 16))


class StateObject(Struct, frozen=True):
    """A managed object.

    `values`: a digest of its values; only digests from the same form of state can be compared.
    `nonempty`: a digest of its non-empty values, to distinguish drift from noise; b"" in a shown
    state.
    """

    values: bytes
    tainted: bool = False
    nonempty: bytes = b""


class State(Struct, frozen=True):
    """A state. `serial`, `lineage`, `checksum` and `stored_outputs` are only known for a state
    file.

    `outputs`: a digest of each output's value. `stored_outputs`: a digest of everything that is
    stored of an output: terraform calls it changed even if only its type or sensitivity is
    (node_output.go). `checksum`: SHA-256 of the state file, lower-case hex.
    """

    objects: Mapping[ObjectKey, StateObject] = {}
    outputs: Mapping[str, bytes] = {}
    stored_outputs: Mapping[str, bytes] = {}
    terraform_version: str | None = None
    format_version: str | None = None
    serial: int | None = None
    lineage: str | None = None
    checksum: str | None = None

    @property
    def identity(self) -> Identity:
        """Serial and lineage of the stored state; NEVER_WRITTEN if they are not known."""
        return (self.serial or 0, self.lineage or "")

    @property
    def empty(self) -> bool:
        """Whether there is no managed object, and no output but null ones. Data sources do not
        count: nobody has to destroy them."""
        return not self.objects and all(value == NULL for value in self.outputs.values())

    @property
    def managed(self) -> int:
        """How many current (not deposed) managed objects there are."""
        return sum(deposed is None for _, deposed in self.objects)

    @property
    def tainted(self) -> int:
        """How many objects are tainted, so that the next apply replaces them."""
        return sum(state_object.tainted for state_object in self.objects.values())
