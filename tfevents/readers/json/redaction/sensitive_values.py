"""The sensitive values of a document, as they are found."""

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
"""What JSON writes as it is."""
DEEP = 3
"""How often one may be JSON within JSON in the middle of a text."""


class SensitiveValues:
    """What is sensitive in the documents that were read so far."""

    def __init__(self) -> None:
        self.texts: set[str] = set()
        self.short_texts: set[str] = set()
        """Those that are looked for as a whole only, in all their spellings."""
        self.numbers: set[int | float | Decimal] = set()

    def hide(self, value: Any) -> str:
        """Notes all of a value, the keys of a map too; returns what stands in its place."""
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
        """A value less what is marked; a mark of another form than its value's marks all."""
        if mark is True:
            return self.hide(value)
        if isinstance(mark, dict) and isinstance(value, dict):
            return {name: self.hide_marked(inner, mark.get(name)) for name, inner in value.items()}
        if isinstance(mark, list) and isinstance(value, list) and len(mark) == len(value):
            return [self.hide_marked(inner, one) for inner, one in zip(value, mark, strict=True)]
        return self.hide(value) if has_marks(mark) and value is not None else value


def has_marks(mark: Any) -> bool:
    """Whether anything in a mark, or a tree of marks, is marked."""
    if isinstance(mark, dict):
        return any(map(has_marks, mark.values()))
    return any(map(has_marks, mark)) if isinstance(mark, list) else mark is True


def _spell_as_json(text: str) -> Iterator[str]:
    """As JSON writes it in the middle of a text, by Go's rules and by others'; and that as JSON."""
    for ascii_only in (True, False):
        written, levels = text, DEEP
        while levels and not PLAIN.fullmatch(written):
            written, levels = json.dumps(written, ensure_ascii=ascii_only)[1:-1], levels - 1
            yield from (written, _as_go_writes(written))


def _spell_short(text: str) -> Iterator[str]:
    """What is too short to be looked for in what is decoded, encoded."""
    raw = text.encode(errors="surrogatepass")
    encoded = b64encode(raw).decode()
    yield from (text, *_spell_as_json(text), encoded, encoded.rstrip("="), quote(raw, safe=""))


def _as_go_writes(text: str) -> str:
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
