"""Parses the JSON events that vendors pass to jobs in a file or an environment variable."""

from __future__ import annotations

import json

LIMIT = 8 * 1024 * 1024
"""The most bytes of a file, or characters of a variable: parsing more would slow down the run."""


def parse_event(document: bytes | str | None) -> object:
    """The parsed document; None if it is missing, larger than LIMIT or not JSON."""
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
    """The string or integer at `path`, as text; None if there is neither."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    if isinstance(document, bool) or not isinstance(document, (str, int)):
        return None
    return str(document)
