"""Values of a plan or a state as something that can be compared and not be read."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec

from tfevents.errors import UnreadableDocument


def drop_empty(value: Any) -> Any:
    """`value` without its empty parts: None, "", [] and {} are one and the same nothing.

    Raises UnreadableDocument.
    """
    try:
        return _drop_empty(value)
    except RecursionError:
        raise UnreadableDocument("a value in it is nested too deeply") from None


def _drop_empty(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _drop_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None} or None
    if isinstance(value, list):
        items = [_drop_empty(item) for item in value]
        return None if all(item is None for item in items) else items
    return None if value == "" else value


def digest(text: bytes) -> bytes:
    """What stands for a value's text within this process: SHA-256."""
    return sha256(text).digest()


def digest_value(value: Any) -> bytes:
    """What stands for a value. Raises UnreadableDocument."""
    try:
        return digest(msgspec.json.encode(value, order="deterministic"))
    except RecursionError:
        raise UnreadableDocument("a value in it is nested too deeply") from None
