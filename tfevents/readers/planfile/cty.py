"""Values as a plan file stores them, in the form that `show -json` gives the same values.

go-cty's msgpack (github.com/zclconf/go-cty, cty/msgpack): maps and objects are maps; lists, sets
and tuples are arrays; a value whose type no schema fixes is the pair of its type (JSON in a byte
string, which is nothing else's form) and the value; an unknown value is an extension.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import msgspec

from tfevents.errors import UnreadableDocument

LARGEST = 4 << 20
"""Bytes of one value; as Python objects it takes up to a hundred times as much."""

UNKNOWN = (0, 12)
"""MessagePack extensions: an unknown value, plain and with what is known of it after all."""
PLAIN, REFINED = b"\xd4\x00", b"\x0c"
"""What an unknown value has in it: an extension 0 of one byte, or an extension 12."""


def has_unknown(packed: bytes) -> bool:
    """Whether any of a value is unknown. Raises UnreadableDocument."""
    return (PLAIN in packed or REFINED in packed) and _unpack(packed)[1]


def parse_value(packed: bytes) -> tuple[Any, bool]:
    """A value for comparing, and whether any of it is unknown.

    Numbers whose type is stored with them are as readers.json has them; the others
    are bare text, since a number may be stored as text and only the schema knows. What is unknown
    is None: that is how `show -json` leaves it out. Raises UnreadableDocument.
    """
    value, has_unknown = _unpack(packed)
    try:
        return _convert(value), has_unknown
    except (LookupError, TypeError, ValueError, RecursionError):
        raise UnreadableDocument("it has a value that does not fit its type") from None


def _unpack(packed: bytes) -> tuple[Any, bool]:
    """A value as it is stored, and whether any of it is unknown (then it is None)."""
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
    """A value of the schema's type, which is not known here but is the same on both sides."""
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
    """A value with its type: a name, or a constructor and what it is made of."""
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
    """As Go's `Text('f', -1)` writes it: the shortest digits that mean it, never an exponent."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not math.isfinite(value):
        raise TypeError
    return f"{Decimal(repr(value)):f}".removesuffix(".0")


def _check_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
