"""Plan JSON and state files without what is sensitive in them: by marks, and wherever it recurs.

Where terraform marks a value (`before_sensitive`, `after_sensitive`, `sensitive_values`,
`sensitive_attributes`, `sensitive: true`), whatever stands there is replaced, all of it
(redaction_rules.py). What was replaced is then looked for everywhere else in the document, in names
too (sensitive_values.py).

Parts that hold nothing of this are passed on byte by byte. At once in memory: one resource, the
configuration, and what is sensitive.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from tfevents.errors import UnreadableDocument
from tfevents.readers.json.redaction_rules import DOCUMENT, Rule, keep
from tfevents.readers.json.sensitive_values import SensitiveValues
from tfevents.readers.json.streaming import Cursor, Read


class Redactor:
    """Reads documents twice: what is sensitive is collected first, then each is rewritten."""

    def __init__(self) -> None:
        self._found = SensitiveValues()

    def collect(self, read: Read) -> None:
        """Notes all that is marked in a document. Raises UnreadableDocument."""
        found = self._found
        found.variable_values = {}
        for part in _split_document(read):
            if isinstance(part, Part):
                with _refuse_other_shapes():
                    part.rule(part.decode(), found)
        for name in found.variables & found.variable_values.keys():
            found.hide(found.variable_values[name])

    def rewrite(self, read: Read) -> Iterator[bytes]:
        """A document, in pieces, without all that was collected. Raises UnreadableDocument."""
        replace = self._found.make_replacer()
        for part in _split_document(read):
            if isinstance(part, Part):
                yield self._rewrite_part(part, replace)
            elif isinstance(part, str):
                yield _rewrite_name(part, replace)
            else:
                yield part

    def _rewrite_part(self, part: Part, replace: Callable[[Any], Any]) -> bytes:
        with _refuse_other_shapes():
            value = part.decode()
            redacted = replace(part.rule(value, self._found))
            return part.raw if redacted == value else "".join(_encode(redacted)).encode()


class Part:
    """A value that is looked at as a whole, and the rule for it."""

    def __init__(self, raw: bytes, rule: Rule) -> None:
        self.raw, self.rule = raw, rule

    def decode(self) -> Any:
        """The value; numbers as they are written."""
        with _refuse_other_shapes():
            return json.loads(self.raw, parse_float=Decimal, parse_constant=_refuse_constant)


def _rewrite_name(name: str, replace: Callable[[Any], Any]) -> bytes:
    """A member's name, and the colon behind it."""
    value = Part(f'"{name}"'.encode(), keep).decode()
    shown = replace(value)
    return f'"{name}":'.encode() if shown == value else f"{json.dumps(shown)}:".encode()


@contextmanager
def _refuse_other_shapes() -> Iterator[None]:
    """What has another shape than terraform's, anywhere in a part, is refused: what can't be
    looked through may hold anything."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError):
        raise UnreadableDocument("it is no JSON as terraform writes it") from None


def _refuse_constant(constant: str) -> None:
    raise ValueError(constant)


def _split_document(read: Read) -> Iterator[bytes | str | Part]:
    """A document in order: punctuation, names as they are written, and parts."""
    cursor = Cursor(read)
    yield from _split_value(cursor, DOCUMENT)
    cursor.end()


def _split_value(cursor: Cursor, shape: Any) -> Iterator[bytes | str | Part]:
    """`shape`: a rule, or rules in an object or an array, as DOCUMENT has them."""
    if not isinstance(shape, (dict, list)) or not cursor.opens():
        yield Part(cursor.take(), shape if callable(shape) else keep)
    elif isinstance(shape, list):
        yield b"["
        for number, _ in enumerate(cursor.elements()):
            yield b"," if number else b""
            yield from _split_value(cursor, shape[0])
        yield b"]"
    else:
        yield b"{"
        for number, name in enumerate(cursor.members()):
            yield b"," if number else b""
            yield name
            yield from _split_value(cursor, shape.get(name, shape.get("*", keep)))
        yield b"}"


def _encode(value: Any) -> Iterator[str]:
    """JSON, with numbers as they were written: json knows no Decimal."""
    if isinstance(value, dict):
        yield "{"
        for number, (name, inner) in enumerate(value.items()):
            yield f"{',' if number else ''}{json.dumps(name)}:"
            yield from _encode(inner)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for number, inner in enumerate(value):
            yield "," if number else ""
            yield from _encode(inner)
        yield "]"
    else:
        yield str(value) if isinstance(value, Decimal) else json.dumps(value)
