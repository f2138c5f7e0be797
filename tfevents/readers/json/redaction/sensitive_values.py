"""Collects the sensitive values of documents in all the spellings to search for."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from tfevents.readers.json.redaction.text_search import SHORTEST

HIDDEN = "(sensitive value)"
NUMBER = re.compile(rf"-?[0-9.]{{{SHORTEST},}}")
PLAIN = re.compile(r"[ !#-%'-;=?-\[\]-~]*")
"""Text that JSON encoders (Python's, Go's) write unchanged."""
DEEP = 3
"""How many times a text may be encoded as JSON in JSON inside a longer text."""


class SensitiveValues:
    """The sensitive values of the documents read so far."""

    def __init__(self) -> None:
        self.texts: set[str] = set()
        self.short_texts: set[str] = set()
        """Short texts in all their spellings; only searched for as a whole value."""
        self.numbers: set[int | float | Decimal] = set()

    def hide(self, value: Any) -> str:
        """Notes all texts and numbers in a value, also the keys of maps; returns HIDDEN."""
        if isinstance(value, dict):
            for name, inner in value.items():
                self.hide(name)
                self.hide(inner)
        elif isinstance(value, list):
            for inner in value:
                self.hide(inner)
        elif isinstance(value, str) and value != HIDDEN:
            for text in {value, value.strip()} - {""}:
                self._add(text)
        elif not isinstance(value, (bool, type(None))) and NUMBER.fullmatch(str(value)):
            self.numbers.add(value)
            self.texts.add(str(value))
        return HIDDEN

    def _add(self, text: str) -> None:
        if len(text) < SHORTEST:
            self.short_texts.update(_spell_short(text))
        else:
            self.texts.update((text, *_spell_as_json(text)))

    def hide_marked(self, value: Any, mark: Any) -> Any:
        """Notes the marked parts of a value; returns the value with HIDDEN in their place.

        A mark whose shape differs from the value's applies to the whole value.
        """
        if mark is True:
            return self.hide(value)
        if isinstance(mark, dict) and isinstance(value, dict):
            return {name: self.hide_marked(inner, mark.get(name)) for name, inner in value.items()}
        if isinstance(mark, list) and isinstance(value, list) and len(mark) == len(value):
            return [self.hide_marked(inner, one) for inner, one in zip(value, mark, strict=True)]
        return self.hide(value) if has_marks(mark) and value is not None else value


def has_marks(mark: Any) -> bool:
    """Whether a mark, or any mark in a tree of marks, is true."""
    if isinstance(mark, dict):
        return any(map(has_marks, mark.values()))
    return any(map(has_marks, mark)) if isinstance(mark, list) else mark is True


def _spell_as_json(text: str) -> Iterator[str]:
    """The text as JSON spells it, with and without Go's escapes, encoded up to DEEP times."""
    for ascii_only in (True, False):
        written, levels = text, DEEP
        while levels and not PLAIN.fullmatch(written):
            written, levels = json.dumps(written, ensure_ascii=ascii_only)[1:-1], levels - 1
            yield from (written, _as_go_writes(written))


def _spell_short(text: str) -> Iterator[str]:
    """A short text as it is and encoded, since decoded text is not searched for short texts."""
    raw = text.encode(errors="surrogatepass")
    encoded = b64encode(raw).decode()
    yield from (text, *_spell_as_json(text), encoded, encoded.rstrip("="), quote(raw, safe=""))


def _as_go_writes(text: str) -> str:
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
