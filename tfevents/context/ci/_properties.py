"""Parses Java's properties files: one `key=value` per line, with backslash escapes."""

from __future__ import annotations

import re

_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_SEPARATOR = re.compile(r"(?<!\\)(?:\\\\)*[=:]")
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}


def parse_properties(document: bytes | None, limit: int = 4 * 1024 * 1024) -> dict[str, str]:
    """The properties; empty if there is no document, or if it has more than `limit` bytes."""
    if not document or len(document) > limit:
        return {}
    lines = document.decode("latin-1").splitlines()
    return dict(_pair(line) for line in lines if line.strip() and line.lstrip()[0] not in "#!")


def _pair(line: str) -> tuple[str, str]:
    separator = _SEPARATOR.search(line)
    end = separator.end() if separator else len(line)
    key = line[: end - 1] if separator else line
    return _unescape(key.strip()), _unescape(line[end:].lstrip())


def _unescape(text: str) -> str:
    return _ESCAPED.sub(_unescape_character, text)


def _unescape_character(escape: re.Match[str]) -> str:
    code, letter = escape.groups()
    return chr(int(code, 16)) if code else _LETTERS.get(letter, letter)
