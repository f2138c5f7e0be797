"""Parses the blocks and attributes that a schema asks for from HCL, in native or JSON syntax.

python-hcl2 parses 50 KB per second, this module several MB: it uses expressions.py only for values
that are more than plain text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

from tfevents.errors import UnreadableDocument
from tfevents.readers.hcl.expressions import parse_hcl
from tfevents.readers.hcl.scanner import NAME, Item, Source, find_end, scan_body

KEYWORDS = {"true": True, "false": False, "null": None}
LITERAL = re.compile(r'"([^"\\$%\n]*)"')
REFERENCE = re.compile(rf'{NAME}(?:\.[\w-]+|\.\*|\[\d+\]|\["[^"\\$%\n]*"\])*')
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
MAX_EXPRESSION = 16 * 1024  # a third of a second for python-hcl2


class Schema(Struct, frozen=True):
    """The parts of a block to parse: the number of its labels, its attributes and its blocks.

    `attributes`: None for all. `references`: attributes whose text is a name, not a value: in
    `provider = null`, a provider called null.
    """

    labels: int = 0
    attributes: frozenset[str] | None = frozenset()
    blocks: Mapping[str, Schema] = {}
    references: frozenset[str] = frozenset()

    def wants(self, attribute: str) -> bool:
        """Whether the schema asks for an attribute."""
        return self.attributes is None or attribute in self.attributes | self.references


class Block(Struct, frozen=True):
    """The parsed parts of a block. Attributes are plain values, expressions are like `${var.x}`."""

    type: str
    labels: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = {}
    blocks: tuple[Block, ...] = ()


def parse_blocks(text: str, name: str, schema: Schema) -> Block:
    """Parses HCL text in native syntax; returns a block with an empty type.

    `name` is the file's name in error messages. Raises UnreadableDocument.
    """
    source = Source(text.removeprefix("\ufeff"), name)
    return _parse_block(source, Item("", 0, len(source.text), ()), schema)


def parse_json_blocks(text: str, name: str, schema: Schema) -> Block:
    """As `parse_blocks`, of HCL's JSON syntax: labels are keys, and a list holds several blocks."""
    try:
        root = json.loads(text.removeprefix("\ufeff"))
        if SURROGATE.search(text):  # a lone surrogate can't be encoded as UTF-8
            json.dumps(root, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise UnreadableDocument(f"{name}: this is not JSON: correct it") from None
    bodies = root if isinstance(root, list) else [root]
    blocks = [_make_json_block("", (), body, schema) for body in bodies if isinstance(body, dict)]
    return Block("", blocks=tuple(inner for block in blocks for inner in block.blocks))


def _make_json_block(
    kind: str, labels: tuple[str, ...], body: dict[str, Any], schema: Schema
) -> Block:
    blocks = (
        _make_json_block(name, labels, inner, part)
        for name, part in schema.blocks.items()
        for labels, inner in _list_labelled(body.get(name), part.labels)
    )
    attributes = {name: body[name] for name in body if schema.wants(name) and name != "//"}
    return Block(kind, labels, attributes, tuple(blocks))


def _list_labelled(value: Any, labels: int) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    for body in value if isinstance(value, list) else [value]:
        if isinstance(body, dict) and not labels:
            yield (), body
        elif isinstance(body, dict):
            for label, inner in body.items():
                for more, found in _list_labelled(inner, labels - 1):
                    yield (label, *more), found


def _parse_block(source: Source, item: Item, schema: Schema) -> Block:
    attributes, blocks = {}, []
    if not _may_contain_any(source, item, schema):
        return Block(item.name, item.labels or ())
    for inner in scan_body(source, item.start, item.end):
        part = schema.blocks.get(inner.name)
        if inner.labels is None and inner.name in schema.references:
            attributes[inner.name] = source.text[inner.start : inner.end].strip(' \t\r"')
        elif inner.labels is None and schema.wants(inner.name):
            attributes[inner.name] = _parse_value(source, inner)
        elif inner.labels is not None and part and len(inner.labels) == part.labels:
            blocks.append(_parse_block(source, inner, part))
    return Block(item.name, item.labels or (), attributes, tuple(blocks))


def _may_contain_any(source: Source, item: Item, schema: Schema) -> bool:
    """Whether a body may contain any part the schema asks for: most resources name no provider."""
    if not item.name or schema.attributes is None:
        return True
    names = (*schema.attributes, *schema.references, *schema.blocks)
    return any(source.text.find(name, item.start, item.end) >= 0 for name in names)


def _parse_value(source: Source, item: Item) -> Any:
    """The value of an expression; python-hcl2 is only used if it is more than plain text."""
    text = source.text[item.start : item.end].strip()
    if literal := LITERAL.fullmatch(text):
        return literal[1]
    if text in KEYWORDS:
        return KEYWORDS[text]
    if REFERENCE.fullmatch(text):
        return f"${{{text}}}"
    plain = _parse_plain_object(text) if text.startswith("{") else None
    if plain is not None:
        return plain
    if len(text) > MAX_EXPRESSION:
        raise source.make_error(item.start, f"{item.name!r} is too long to be read")
    try:
        return _parse_expression(text)
    except UnreadableDocument:
        raise source.make_error(
            item.start, f"{item.name!r} has no value that can be read"
        ) from None


@lru_cache(256)
def _parse_expression(text: str) -> Any:
    return parse_hcl(f"value = {text}\n", "")["value"]


def _parse_plain_object(text: str) -> dict[str, Any] | None:
    """Parses `{name = "text", …}` as in required_providers; None if it has anything else."""
    inner = Source(text, "")
    try:
        found = list(scan_body(inner, 1, find_end(inner, 0) - 1))
    except UnreadableDocument:
        return None
    values = {}
    for item in found:
        literal = LITERAL.fullmatch(text[item.start : item.end].strip().removesuffix(",").rstrip())
        if item.labels is not None or (not literal and item.name != "configuration_aliases"):
            return None
        values[item.name] = literal[1] if literal else None
    return values
