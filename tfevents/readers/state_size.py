"""Counts the resources and outputs of a state file of any size by streaming it.

Used for the state in a plan file and for large state files. The format, version 4, is that of
`internal/states/statefile/version4.go`.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from tfevents.errors import UnreadableDocument
from tfevents.readers.decoders import find_decoder
from tfevents.readers.streaming import Cursor, Read

NEXT_INSTANCE = b"},\n        {"
"""The bytes between two instances, with terraform's indentation."""


TEXT: msgspec.json.Decoder[str | None] = msgspec.json.Decoder(str | None)


class Instance(Struct, gc=False):
    """An instance of a resource; `deposed` is its deposed key, None for the current object."""

    deposed: str | None = None


class StateSize(Struct):
    """The size of a state: `managed` counts its current managed objects.

    `version`: the version of the format as text, None if absent.
    """

    version: str | None = None
    terraform_version: str | None = None
    managed: int = 0
    outputs: int = 0


def measure_state_file(read: Read) -> StateSize:
    """The size of the state file that `read` returns. Raises UnreadableDocument."""
    cursor, size = Cursor(read), StateSize()
    for name in cursor.members():
        if name == "resources" and cursor.is_at_container():
            size.managed += sum(_count_instances(cursor) for _ in cursor.elements())
        elif name == "outputs" and cursor.is_at_container():
            size.outputs += sum(1 for _ in cursor.skipped_members())
        elif name == "version" and not cursor.is_at_container():
            size.version = cursor.take().decode(errors="replace")
        elif name == "terraform_version" and not cursor.is_at_container():
            size.terraform_version = parse_text(cursor.take())
        else:
            cursor.skip()
    cursor.expect_end()
    return size


def _count_instances(cursor: Cursor) -> int:
    """The number of current instances of one resource; 0 if the resource is not managed."""
    managed, current = True, 0
    for name in cursor.members():
        if name == "mode" and not cursor.is_at_container():
            managed = cursor.take() == b'"managed"'
        elif name == "instances" and cursor.is_at_container():
            found = cursor.decoded(NEXT_INSTANCE, _parse_instances)
            current += sum(instance.deposed is None for instance in found)
        else:
            cursor.skip()
    return current if managed else 0


def _parse_instances(array: bytes) -> list[Instance] | None:
    try:
        return find_decoder(list[Instance]).decode(array)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def parse_text(value: bytes) -> str | None:
    """Parses a JSON string or null. Raises UnreadableDocument for any other JSON."""
    try:
        return TEXT.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise UnreadableDocument("its version is no text") from None
