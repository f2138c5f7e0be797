"""Matches the brackets in a piece of JSON text, without parsing it."""

from __future__ import annotations

from array import array
from itertools import accumulate

from tfevents.errors import UnreadableDocument

NON_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
OPEN, CLOSE = b"{[", b"}]"
STEPS = bytes.maketrans(OPEN + CLOSE, b"\x01\x01\xff\xff")  # +1 and -1, as signed bytes
ROUNDS = 32
"""How many levels of nesting are removed from a piece one by one, before depths are counted."""


def count_unmatched(piece: bytes, in_string: bool) -> tuple[int, int, bool]:
    """Counts the brackets in `piece` that have no partner in it, outside of strings.

    Returns the number of closing ones, of opening ones, and whether the piece ends in a string;
    `in_string`: whether it begins in one.
    """
    parts = piece.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
    brackets = b"".join(parts[in_string::2]).translate(None, NON_BRACKETS)
    closed, opened = _count_unmatched_brackets(brackets)
    return closed, opened, in_string ^ (len(parts) % 2 == 0)


def _count_unmatched_brackets(brackets: bytes) -> tuple[int, int]:
    """The number of closing and of opening brackets without a partner. In deep nests, for speed,
    the kinds of brackets are not compared."""
    for _ in range(ROUNDS):
        before = len(brackets)
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if len(brackets) == before:
            opened = len(brackets.lstrip(CLOSE))
            return before - opened, opened
    depths = list(accumulate(array("b", brackets.translate(STEPS)), initial=0))
    closed = -min(depths)
    return closed, depths[-1] + closed


def find_closing_bracket(piece: bytes, depth: int, in_string: bool) -> int:
    """The index after the bracket that closes the outermost of `depth` open containers."""
    escaped = False
    for at, byte in enumerate(piece):
        if escaped or byte == 0x5C:
            escaped = not escaped
        elif byte == 0x22:
            in_string = not in_string
        elif not in_string and byte in OPEN:
            depth += 1
        elif not in_string and byte in CLOSE:
            depth -= 1
            if not depth:
                return at + 1
    raise UnreadableDocument("it is no JSON as terraform writes it")
