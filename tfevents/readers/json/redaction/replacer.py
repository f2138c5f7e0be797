"""Replaces sensitive values wherever they recur in a value.

* A text of `SHORTEST` characters or more is replaced everywhere, also inside longer texts and in
  names: as it is, or encoded as JSON, percent-encoding or base64 (encodings.py), also repeatedly.
* A shorter text, and a number of `SHORTEST` digits or more, is replaced only as a whole value.
* true, false, null, "" and shorter numbers are replaced only where they are marked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tfevents.readers.json.redaction.encodings import encode_json, find_encoded, parse_json
from tfevents.readers.json.redaction.sensitive_values import HIDDEN, SensitiveValues
from tfevents.readers.json.redaction.text_search import (
    SHORTEST,
    Stretch,
    TextSearch,
    replace_stretches,
)

DEEPEST = 4
"""How many nested encodings are decoded."""


class Replacer:
    """Replaces the sensitive values in `found` by HIDDEN."""

    def __init__(self, found: SensitiveValues) -> None:
        self._texts, self._numbers = found.texts | found.short_texts, frozenset(found.numbers)
        self._search = TextSearch(found.texts)

    def replace(self, value: Any, depth: int = DEEPEST) -> Any:
        """`value` with sensitive values replaced; decodes at most `depth` nested encodings."""
        if isinstance(value, str):
            return self._replace_in(value, depth) if self._texts else value
        if isinstance(value, dict):
            return self._replace_in_object(value, depth)
        if isinstance(value, list):
            return [self.replace(inner, depth) for inner in value]
        is_number = not isinstance(value, (bool, type(None)))
        return HIDDEN if is_number and value in self._numbers else value

    def _replace_in_object(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        """Replaces in names as well; names that become equal are numbered, so that none is lost."""
        replaced: dict[str, Any] = {}
        for name, inner in value.items():
            shown = str(self.replace(name, depth))
            if shown != name and shown in replaced:
                shown = f"{shown} {len(replaced) + 1}"
            replaced[shown] = self.replace(inner, depth)
        return replaced

    def _replace_in(self, text: str, depth: int) -> str:
        if text in self._texts:
            return HIDDEN
        if len(text) < SHORTEST:
            return text
        value = parse_json(text) if depth else None
        if value is not None and (replaced := self.replace(value, depth - 1)) != value:
            text = encode_json(replaced)
        if value is not None:  # each text in the JSON was decoded above
            depth = 0
        return HIDDEN.join(self._replace_stretches(piece, depth) for piece in text.split(HIDDEN))

    def _replace_stretches(self, text: str, depth: int) -> str:
        stretches = [*self._search.find(text), *self._find_encoded(text, depth)]
        return replace_stretches(text, stretches, HIDDEN) if stretches else text

    def _find_encoded(self, text: str, depth: int) -> Iterator[Stretch]:
        for start, end, decoded in find_encoded(text) if depth else ():
            if self._replace_in(decoded, depth - 1) != decoded:
                yield start, end
