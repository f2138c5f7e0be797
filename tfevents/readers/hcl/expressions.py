"""Parses HCL text into plain values; the only module that uses python-hcl2."""

from __future__ import annotations

import re
import threading
from collections import Counter
from typing import Any

import hcl2
from hcl2.rules.base import AttributeRule, BlockRule, BodyRule, StartRule
from lark.exceptions import LarkError, UnexpectedInput

from tfevents.errors import UnreadableDocument

HEREDOC = re.compile(r"<<(-?)([A-Za-z][\w.-]*)\r?\n(.*?)[ \t]*\2", re.DOTALL)
# python-hcl2 has one parser per process; two threads at once would parse each other's text.
PARSING = threading.Lock()
# Names of tokens in error messages. Names, numbers and texts are never quoted: they may be secret.
NAMES = {
    "$END": "end of file",
    "NAME": "name",
    "INT_LITERAL": "number",
    "FLOAT_LITERAL": "number",
    "NL_OR_COMMENT": "end of line",
    "HEREDOC_TEMPLATE": "heredoc",
    "HEREDOC_TEMPLATE_TRIM": "heredoc",
}


def parse_hcl(text: str, name: str) -> dict[str, Any]:
    """Parses HCL into dicts, lists, strings, numbers, booleans and None.

    Blocks of one type are a list of dicts, in which each label is a key around the next:
    `b "x" {y = 1}` is `{"b": [{"x": {"y": 1}}]}`. Expressions and templates stay text (`${var.x}`);
    a heredoc becomes the text in it. Raises UnreadableDocument: one line with `name`, line and
    column.
    """
    with PARSING:
        return _parse(text, name)


def _parse(text: str, name: str) -> dict[str, Any]:
    plain = hcl2.SerializationOptions(
        with_comments=False, explicit_blocks=False, strip_string_quotes=True
    )
    tree = _parse_tree(text, name)
    try:
        for body in _list_bodies(tree.body):
            _check_names(body, name)
        return {key: _unwrap_heredocs(value) for key, value in tree.serialize(plain).items()}
    except (RecursionError, ValueError):  # a number of 5,000 digits is a ValueError
        raise _make_error(name, None, "a number is too long or it is nested too deeply") from None


def _parse_tree(text: str, name: str) -> StartRule:
    """python-hcl2's syntax tree. Raises UnreadableDocument for lark's errors, in one short line."""
    try:
        return hcl2.parses(text.removeprefix("\ufeff"))
    except UnexpectedInput as error:
        place = (error.line, error.column)
        raise _make_error(name, place, f"unexpected {_describe_token(error)}") from None
    except (LarkError, RecursionError) as error:
        deep = isinstance(getattr(error, "orig_exc", error), RecursionError)
        what = "it is nested too deeply" if deep else "a template in it has no end"
        raise _make_error(name, None, what) from None


def _describe_token(error: Any) -> str:
    """The unexpected token, for an error message: punctuation is quoted, others named by kind."""
    token = getattr(error, "token", None)
    kind = getattr(token, "type", "")
    if kind in NAMES:
        return NAMES[kind]
    text = str(token) if token is not None else str(getattr(error, "char", ""))
    first = text[:1] if kind in ("", "STRING_CHARS", "TEMPLATE_STRING") else text.strip()
    if first in ("\r", "\n"):
        return "end of line"
    return repr(first) if first.isascii() and first.isprintable() and first else "character"


def _make_error(name: str, place: tuple[int, int] | None, what: str) -> UnreadableDocument:
    where = f"{name}, line {place[0]}, column {place[1]}" if place else name
    return UnreadableDocument(f"{where}: {what}: correct the HCL there")


def _list_bodies(body: BodyRule) -> list[BodyRule]:
    """The body itself and the bodies of all blocks in it."""
    return [body] + [inner for block in _list_blocks(body) for inner in _list_bodies(block.body)]


def _list_blocks(body: BodyRule) -> list[BlockRule]:
    return [child for child in body.children if isinstance(child, BlockRule)]


def _check_names(body: BodyRule, name: str) -> None:
    """Raises UnreadableDocument for a name that is set twice in a body, or set and used as a block.

    python-hcl2 accepts both and keeps the last.
    """
    blocks = {str(block.labels[0].serialize()) for block in _list_blocks(body)}
    attributes = [child for child in body.children if isinstance(child, AttributeRule)]
    counted = Counter(str(attribute.identifier.serialize()) for attribute in attributes)
    for attribute in reversed(attributes):
        key = str(attribute.identifier.serialize())
        if counted[key] > 1 or key in blocks:
            place = (getattr(attribute._meta, "line", 0), getattr(attribute._meta, "column", 0))
            raise _make_error(name, place, f"{key!r} is set a second time")


def _unwrap_heredocs(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unwrap_heredocs(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_unwrap_heredocs(inner) for inner in value]
    heredoc = HEREDOC.fullmatch(value) if isinstance(value, str) else None
    return _trim_heredoc(heredoc[3], flush=heredoc[1] == "-") if heredoc else value


def _trim_heredoc(text: str, *, flush: bool) -> str:
    """The text of a heredoc, including its last line end, as terraform evaluates it.

    `flush` (`<<-`) removes the indentation common to all lines; blank lines keep theirs.
    """
    if not flush:
        return text
    lines = text.split("\n")
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    width = min(indents, default=0)
    return "\n".join(line[width:] if line.strip() else line for line in lines)
