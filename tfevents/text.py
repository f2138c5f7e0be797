"""What a text from outside must lose before it may leave the process, wherever it comes from.

Every text is cut at the door, before any pattern sees it: whoever writes a commit message must not
decide how long a run takes.
"""

from __future__ import annotations

import re

VALUE_BYTES, MESSAGE_BYTES = 2048, 4096
"""A longer value is no fact: cut, it would name something else. A message is cut."""
DOOR = 4
"""How many times its limit a text may be long, for it may lose some."""

# CSI sequences, string sequences (title, link, …) up to their end, then any other escape. What
# stands in a string begins none itself, so that each character is looked at once.
_ESCAPE = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[PX\]^_]|[\x90\x98\x9d-\x9f])(?:[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c))?"
    r"|\x1b[ -/]*[0-~]?"
)
# C0, DEL, C1, line separators and what turns the direction of text around.
_CONTROL = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
_SPACING = r"[\t\n]+"
_NOT_BYTES = "[\ud800-\udc7f\udd00-\udfff]"
_SHA = r"[0-9a-fA-F]{7,40}|[0-9a-fA-F]{64}"


def clean(value: str | None, most: int = VALUE_BYTES) -> str | None:
    """One line without escapes and control characters; None when empty or longer than `most`
    bytes."""
    if not value or len(value) > DOOR * most:
        return None
    line = re.sub(_SPACING, " ", _printable(value)).strip()
    return line if line and len(line.encode()) <= most else None


def clean_message(value: str | None, most: int = MESSAGE_BYTES) -> str | None:
    """As `clean`, but it keeps its lines and is cut at `most` bytes, between two characters."""
    if not value:
        return None
    lines = _printable(value[: DOOR * most]).strip()
    return lines.encode()[:most].decode(errors="ignore").rstrip() or None


def clean_sha(value: str | None) -> str | None:
    """A commit's hash, whole or shortened; `HEAD`, a changeset's number or zeros are none."""
    sha = clean(value) or ""
    return sha if re.fullmatch(_SHA, sha) and sha.strip("0") else None


def _printable(value: str) -> str:
    """Without escapes and control characters; of broken UTF-8, what can be kept."""
    if not value.isascii():
        value = re.sub(_NOT_BYTES, "", value)
        value = value.encode(errors="surrogateescape").decode(errors="ignore")
    return re.sub(_CONTROL, "", re.sub(_ESCAPE, "", value))
