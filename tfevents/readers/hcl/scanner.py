"""Finds where HCL's arguments and blocks begin and end, without parsing their content.

Follows HCL's scanner (hashicorp/hcl, hclsyntax/spec.md) for everything that can hide a brace:
quoted templates and interpolations in them, heredocs, comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from tfevents.errors import UnreadableDocument

# CODE, LINE, QUOTED and HEREDOC find the next token at which something may open or close. Comments
# and escapes are tokens, too, so that nothing in them opens or closes anything.
NAME = r"[^\W\d][\w-]*"
PLAIN = r'"[^"\\$%\n]*"'
"""A quoted template without escapes and interpolations: one token, which is faster."""
IDENTIFIER = re.compile(NAME)
LABEL = re.compile(rf'"((?:[^"\\\n]|\\.)*)"|({NAME})')
"""A label of a block, quoted (group 1) or not (group 2)."""
SPACE = re.compile(r"(?:\s+|#[^\n]*|//[^\n]*)*")
"""What may precede an item: white space and comments up to their line end. For comments between
/* and */, see _skip_space."""
GAP = re.compile(r"[ \t\r]*")
"""The white space within a line, between an item's name, its labels and `=` or `{`."""
CODE = re.compile(rf'{PLAIN}|#[^\n]*|//[^\n]*|/\*|<<-?({NAME})\r?\n|["{{}}()\[\]]')
"""The next token outside of quotes; group 1 is the marker of a heredoc."""
LINE = re.compile(CODE.pattern + r"|\n")
"""As CODE, and the line end, which ends an argument."""
QUOTED = re.compile(r'\\.|\$\$\{|%%\{|[$%]\{|"|\n')
"""The next token in a quoted template."""
HEREDOC = re.compile(r"\$\$\{|%%\{|[$%]\{|\n")
"""The next token in a heredoc, in which quotes and backslashes have no meaning."""
CLOSING = {"{": "}", "(": ")", "[": "]", "$": "}"}
"""What closes each bracket; `$` stands for an interpolation, `${` or `%{`."""


class Source(Struct, frozen=True):
    """HCL text and its name in error messages."""

    text: str
    name: str

    def make_error(self, at: int, what: str) -> UnreadableDocument:
        """The error for the character at `at`: one line, without a quotation from the text."""
        line = self.text.count("\n", 0, at) + 1
        return UnreadableDocument(f"{self.name}, line {line}: {what}: correct the HCL there")


class Item(Struct, frozen=True):
    """An argument or a block; text[start:end] is the argument's expression or the block's body.

    `labels`: None for an argument. `at`: the index of the name.
    """

    name: str
    start: int
    end: int
    labels: tuple[str, ...] | None = None
    at: int = 0


def scan_body(source: Source, at: int, end: int) -> Iterator[Item]:
    """The arguments and blocks in the body text[at:end]. Raises UnreadableDocument."""
    text = source.text
    while (at := _skip_space(source, at, SPACE)) < end:
        name = IDENTIFIER.match(text, at)
        if not name:
            raise source.make_error(at, "an argument or a block is expected")
        at = _skip_space(source, name.end(), GAP)
        if text[at : at + 1] == "=" and text[at + 1 : at + 2] != "=":
            start, at = at + 1, _find_line_end(source, at + 1, end)
            yield Item(name[0], start, at, None, name.start())
        else:
            labels, at = _scan_labels(source, at)
            start, at = at + 1, find_end(source, at)
            yield Item(name[0], start, at - 1, labels, name.start())


def _scan_labels(source: Source, at: int) -> tuple[tuple[str, ...], int]:
    """The labels from `at` on, and the index of the brace after them."""
    labels = []
    while label := LABEL.match(source.text, at):
        labels.append(label[1] if label[2] is None else label[2])
        at = _skip_space(source, label.end(), GAP)
    if source.text[at : at + 1] != "{":
        raise source.make_error(at, "an argument or a block is expected")
    return tuple(labels), at


def _skip_space(source: Source, at: int, space: re.Pattern[str]) -> int:
    """The index after the white space (as `space` matches) and comments at `at`."""
    while True:
        blanks = space.match(source.text, at)
        at = blanks.end() if blanks else at
        if not source.text.startswith("/*", at):
            return at
        at = _find_comment_end(source, at)


def _find_comment_end(source: Source, at: int) -> int:
    end = source.text.find("*/", at + 2)
    if end < 0:
        raise source.make_error(at, "a comment has no end")
    return end + 2


def _find_line_end(source: Source, at: int, end: int) -> int:
    """The index where the expression at `at` ends: at a line end, a comment or the body's end."""
    while token := LINE.search(source.text, at, end):
        if token[0] == "/*":
            at = _find_comment_end(source, token.start())
        elif token[0] == "\n" or token[0][0] in "#/":
            return token.start()
        elif token[0] in (")", "}", "]"):
            raise source.make_error(token.start(), f"unexpected {token[0]!r}")
        else:
            at = find_end(source, token.start())
    return end


def find_end(source: Source, at: int) -> int:
    """The index after the bracket pair, quoted template or heredoc that begins at `at`.

    The stack holds what is still open: brackets, `"`, `$` for an interpolation, `<` and its marker
    for a heredoc. A heredoc ends before its last line end, as that also ends an argument.
    Raises UnreadableDocument.
    """
    stack: list[str] = []
    place: int | None = at
    while place is not None:
        top = stack[-1] if stack else "{"
        step = (
            _step_in_code if top in CLOSING else _step_in_quotes if top == '"' else _step_in_heredoc
        )
        place = step(source, place, stack)
        if place is not None and not stack:
            return place
    raise source.make_error(at, "what opens here has no end")


def _step_in_code(source: Source, at: int, stack: list[str]) -> int | None:
    """The index after the next token between brackets; None at the end of the text."""
    token = CODE.search(source.text, at)
    if not token:
        return None
    if token[0] == "/*":
        return _find_comment_end(source, token.start())
    if token[1]:
        stack.append("<" + token[1])
    elif token[0] in ('"', "(", "{", "["):
        stack.append(token[0])
    elif token[0] in (")", "}", "]") and CLOSING[stack.pop()] != token[0]:
        raise source.make_error(token.start(), f"unexpected {token[0]!r}")
    return token.end()


def _step_in_quotes(source: Source, at: int, stack: list[str]) -> int | None:
    """The index after the next token in a quoted template, which must end on its line.

    None at the end of the text.
    """
    token = QUOTED.search(source.text, at)
    if token and token[0] == "\n":
        raise source.make_error(token.start(), "a string has no end on its line")
    if token and token[0] == '"':
        stack.pop()
    elif token and token[0] in ("${", "%{"):
        stack.append("$")
    return token.end() if token else None


def _step_in_heredoc(source: Source, at: int, stack: list[str]) -> int | None:
    """The index after the next token in a heredoc, which ends at a line with only its marker.

    None at the end of the text.
    """
    if source.text[at - 1] == "\n":
        end = source.text.find("\n", at)
        if end >= 0 and source.text[at:end].strip() == stack[-1][1:]:
            stack.pop()
            return end
    token = HEREDOC.search(source.text, at)
    if token and token[0] in ("${", "%{"):
        stack.append("$")
    return token.end() if token else None
