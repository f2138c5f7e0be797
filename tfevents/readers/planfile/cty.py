"""Decodes the values in a plan file into the form that `show -json` gives the same values.

go-cty's msgpack (github.com/zclconf/go-cty, cty/msgpack): maps and objects are maps; lists, sets
and tuples are arrays; a value whose type the schema leaves open is an array of its type (JSON in a
byte string, which no other value is stored as) and the value; an unknown value is an extension.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import msgspec

from tfevents.errors import UnreadableDocument

LARGEST = 4 << 20
"""The most bytes of one value; Python objects take up to a hundred times as much memory."""

UNKNOWN = (0, 12)
"""The MessagePack extensions of an unknown value: plain, and with refinements of the value."""
PLAIN, REFINED = b"\xd4\x00", b"\x0c"
"""Bytes that stored unknown values contain: extension 0 of one byte, and extension 12."""


def has_unknown(packed: bytes) -> bool:
    """Whether any part of a value is unknown. Raises UnreadableDocument."""
    return (PLAIN in packed or REFINED in packed) and _unpack(packed)[1]


def parse_value(packed: bytes) -> tuple[Any, bool]:
    """A value in a form for comparing, and whether any part of the value is unknown.

    Numbers whose type is stored with them are `("number", text)`, as in readers.json; other numbers
    are plain text, since a number may be stored as text and only the schema tells which. Unknown
    parts are None, as `show -json` leaves them out. Raises UnreadableDocument.
    """
    value, has_unknown = _unpack(packed)
    try:
        return _convert(value), has_unknown
    except (LookupError, TypeError, ValueError, RecursionError):
        raise UnreadableDocument("it has a value that does not fit its type") from None


def _unpack(packed: bytes) -> tuple[Any, bool]:
    """A value as stored, with None for unknown parts, and whether there are unknown parts."""
    if len(packed) > LARGEST:
        raise UnreadableDocument(f"it has a value of more than {LARGEST} bytes")
    unknown: list[int] = []

    def read_extension(code: int, _: memoryview) -> None:
        if code not in UNKNOWN:
            raise UnreadableDocument(f"it has a MessagePack extension {code}")
        unknown.append(code)

    try:
        return msgspec.msgpack.decode(packed, ext_hook=read_extension), bool(unknown)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError):
        raise UnreadableDocument("it has a value that is no MessagePack") from None


def _convert(value: Any) -> Any:
    """Converts a value whose type is only in the schema; both sides of a change have that type."""
    if isinstance(value, dict):
        return {_check_text(key): _convert(item) for key, item in value.items()}
    if isinstance(value, list):
        if value and isinstance(value[0], bytes):
            kind, inner = value
            return _convert_typed(inner, json.loads(kind))
        return [_convert(item) for item in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _write_number(value)
    return value if value is None or isinstance(value, bool) else _check_text(value)


def _convert_typed(value: Any, kind: Any) -> Any:
    """Converts a value of type `kind`: a name (`"string"`) or an array (`["list", "string"]`)."""
    if value is None:
        return None
    if kind == "dynamic":
        return _convert(value)
    if kind == "number":
        return ("number", _write_number(value))
    if kind == "bool" and isinstance(value, bool):
        return value
    return _check_text(value) if kind == "string" else _convert_collection(value, *kind[:2])


def _convert_collection(value: Any, kind: str, inner: Any) -> Any:
    if kind in ("map", "object") and isinstance(value, dict):
        types = inner if kind == "object" else dict.fromkeys(value, inner)
        return {_check_text(key): _convert_typed(item, types[key]) for key, item in value.items()}
    if kind in ("list", "set", "tuple") and isinstance(value, list):
        each = inner if kind == "tuple" else [inner] * len(value)
        return [_convert_typed(item, one) for item, one in zip(value, each, strict=True)]
    raise TypeError


def _write_number(value: Any) -> str:
    """A number as Go's `Text('f', -1)` writes it: the shortest exact digits, no exponent."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not math.isfinite(value):
        raise TypeError
    return f"{Decimal(repr(value)):f}".removesuffix(".0")


def _check_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
