"""Removes escape sequences and control characters from foreign text before it is sent.

The length of a text is limited before any pattern is applied, so that a long commit message can't
slow down a run.
"""

from __future__ import annotations

import re

VALUE_BYTES, MESSAGE_BYTES = 2048, 4096
"""Limits in bytes. A longer value is dropped, because a cut one would name something else; a longer
message is cut."""
LONGEST_INPUT_FACTOR = 4
"""The longest text that is cleaned, in multiples of its limit: cleaning may shorten it."""

# CSI sequences, string sequences (title, link, …) up to their end, then any other escape. A string
# sequence contains no start of another one, so that each character is matched only once.
_ESCAPE = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[PX\]^_]|[\x90\x98\x9d-\x9f])(?:[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c))?"
    r"|\x1b[ -/]*[0-~]?"
)
# C0, DEL, C1, line separators and characters that change the direction of text.
_CONTROL = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
_SPACING = r"[\t\n]+"
_NOT_BYTES = "[\ud800-\udc7f\udd00-\udfff]"
_SHA = r"[0-9a-fA-F]{7,40}|[0-9a-fA-F]{64}"


def clean(value: str | None, max_bytes: int = VALUE_BYTES) -> str | None:
    """The text as one line, without escape sequences and control characters.

    None if it is then empty or longer than `max_bytes`, or too long to be cleaned
    (LONGEST_INPUT_FACTOR).
    """
    if not value or len(value) > LONGEST_INPUT_FACTOR * max_bytes:
        return None
    line = re.sub(_SPACING, " ", _remove_controls(value)).strip()
    return line if line and len(line.encode()) <= max_bytes else None


def clean_message(value: str | None, max_bytes: int = MESSAGE_BYTES) -> str | None:
    """As `clean`, but keeps line ends and cuts the text to `max_bytes`, between two characters."""
    if not value:
        return None
    lines = _remove_controls(value[: LONGEST_INPUT_FACTOR * max_bytes]).strip()
    return lines.encode()[:max_bytes].decode(errors="ignore").rstrip() or None


def clean_sha(value: str | None) -> str | None:
    """A full or shortened commit hash; None for any other text, such as `HEAD` or only zeros."""
    sha = clean(value) or ""
    return sha if re.fullmatch(_SHA, sha) and sha.strip("0") else None


def _remove_controls(value: str) -> str:
    """The text without escape sequences, control characters and invalid UTF-8."""
    if not value.isascii():
        value = re.sub(_NOT_BYTES, "", value)
        value = value.encode(errors="surrogateescape").decode(errors="ignore")
    return re.sub(_CONTROL, "", re.sub(_ESCAPE, "", value))
