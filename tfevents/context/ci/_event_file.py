"""Events as JSON, which vendors leave for their jobs in a file or a variable: bounded."""

from __future__ import annotations

import json

LIMIT = 8 * 1024 * 1024
"""Bytes, or characters of a variable: a larger event is not worth the time of a run."""


def parse_event(document: bytes | str | None) -> object:
    """The document, or None where it is missing, too large or no JSON."""
    if not document or len(document) > LIMIT:
        return None
    if isinstance(document, bytes):
        document = document.decode("utf-8-sig", errors="surrogateescape")
    try:
        parsed: object = json.loads(document)
    except (ValueError, RecursionError):
        return None
    return parsed


def find_text(document: object, *path: str) -> str | None:
    """The text or whole number at `path`; None where there is neither."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    if isinstance(document, bool) or not isinstance(document, (str, int)):
        return None
    return str(document)
