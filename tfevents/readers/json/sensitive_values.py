"""The sensitive values of a document, and replacing them wherever they recur.

* A text of `LEAST` characters or more goes wherever it stands, also inside a longer text: as it is,
  less the space around it, or as JSON writes it (jsonencode).
* A shorter text, and a number of `LEAST` digits or more, goes only where it is the whole value.
* true, false, null, "" and shorter numbers are trivial: they go only where they are marked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

HIDDEN = "(sensitive value)"
LEAST = 4
NUMBER = re.compile(rf"-?[0-9.]{{{LEAST},}}")


class SensitiveValues:
    """What is sensitive in the documents that were read so far."""

    def __init__(self) -> None:
        self.texts: set[str] = set()
        self.numbers: set[int | float | Decimal] = set()
        self.attributes: set[tuple[str, str]] = set()
        """Types of resources and the names of their marked attributes."""
        self.variables: set[str] = set()
        """The sensitive ones of the root module, which the configuration declares."""
        self.variable_values: dict[str, Any] = {}
        """The root module's: they come before the configuration says which are sensitive."""

    def hide(self, value: Any) -> str:
        """Notes all of a value; returns what stands in its place."""
        if isinstance(value, dict):
            for inner in value.values():
                self.hide(inner)
        elif isinstance(value, list):
            for inner in value:
                self.hide(inner)
        elif isinstance(value, str):
            self.texts.update(_spellings(value))
        elif not isinstance(value, (bool, type(None))) and NUMBER.fullmatch(str(value)):
            self.numbers.add(value)
            self.texts.add(str(value))
        return HIDDEN

    def hide_marked(self, value: Any, mark: Any) -> Any:
        """A value less what is marked; a mark of another form than its value's marks all."""
        if mark is True:
            return self.hide(value)
        if isinstance(mark, dict) and isinstance(value, dict):
            return {name: self.hide_marked(inner, mark.get(name)) for name, inner in value.items()}
        if isinstance(mark, list) and isinstance(value, list) and len(mark) == len(value):
            return [self.hide_marked(inner, one) for inner, one in zip(value, mark, strict=True)]
        return self.hide(value) if has_marks(mark) and value is not None else value

    def make_replacer(self) -> Callable[[Any], Any]:
        """A function that replaces all that was noted, anywhere in a value."""
        texts, numbers = frozenset(self.texts), frozenset(self.numbers)
        replace_in = _make_text_replacer(text for text in texts if len(text) >= LEAST)

        def replace(value: Any) -> Any:
            if isinstance(value, str):
                return HIDDEN if value in texts else replace_in(value)
            if isinstance(value, dict):
                return {replace_in(name): replace(inner) for name, inner in value.items()}
            if isinstance(value, list):
                return [replace(inner) for inner in value]
            is_number = not isinstance(value, (bool, type(None)))
            return HIDDEN if is_number and value in numbers else value

        return replace if texts or numbers else lambda value: value


def has_marks(mark: Any) -> bool:
    """Whether anything in a mark, or a tree of marks, is marked."""
    if isinstance(mark, dict):
        return any(map(has_marks, mark.values()))
    return any(map(has_marks, mark)) if isinstance(mark, list) else mark is True


def _spellings(text: str) -> Iterator[str]:
    """As it is, stripped, and as JSON writes each, by Go's rules and by others'."""
    for plain in {text, text.strip()} - {""}:
        yield plain
        for ascii_only in (True, False):
            written = json.dumps(plain, ensure_ascii=ascii_only)[1:-1]
            yield written
            for sign in "<>&":
                written = written.replace(sign, f"\\u{ord(sign):04x}")
            yield written


def _make_text_replacer(texts: Iterable[str]) -> Callable[[str], str]:
    """A function that replaces these texts in a text, the longest first.

    They are found by their first letters, so that it does not matter how many there are.
    """
    starts: dict[str, list[str]] = {}
    for text in sorted(texts, key=len, reverse=True):
        starts.setdefault(text[:LEAST], []).append(text)
    if not starts:
        return lambda text: text
    pattern = re.compile(_make_pattern(starts), re.DOTALL)

    def replace_in(text: str) -> str:
        kept, done, at = [], 0, 0
        while found := pattern.search(text, at):
            at = found.start()
            hit = next((t for t in starts[found[0]] if text.startswith(t, at)), None)
            if hit is None:
                at += 1
                continue
            kept += [text[done:at], HIDDEN]
            done = at = at + len(hit)
        return "".join([*kept, text[done:]]) if kept else text

    return replace_in


def _make_pattern(words: Iterable[str]) -> str:
    """A pattern for words of one length that is quick for many of them: a tree of letters."""
    heads: dict[str, set[str]] = {}
    for word in words:
        heads.setdefault(word[0], set()).add(word[1:])
    branches = [
        re.escape(head) + (_make_pattern(rest) if any(rest) else "") for head, rest in heads.items()
    ]
    return f"(?:{'|'.join(sorted(branches))})"
