"""Digests of values in plans and states, which can be compared but not read."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec

from tfevents.errors import UnreadableDocument


def drop_empty(value: Any) -> Any:
    """`value` without its empty parts: None, "", [] and {} are equal. None if nothing is left.

    Raises UnreadableDocument for a value that is nested too deeply.
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
    """The SHA-256 of a value's text; used within this process only."""
    return sha256(text).digest()


def digest_value(value: Any) -> bytes:
    """The digest of a value as JSON. Raises UnreadableDocument if it is nested too deeply."""
    try:
        return digest(msgspec.json.encode(value, order="deterministic"))
    except RecursionError:
        raise UnreadableDocument("a value in it is nested too deeply") from None
