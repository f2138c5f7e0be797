"""Decodes the text that another text may contain as JSON, percent-encoding or base64."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import unquote, unquote_plus

CONTAINERS = ("{", "[", '"')
WORD = re.compile(r"[^\s\"'\\<>`]+")
"""Text that may be percent-encoded as a whole."""
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{6,}={0,2}")
"""Base64 in the standard or the URL alphabet; six characters encode four bytes."""
ALPHABET = str.maketrans("-_", "+/")


def parse_json(text: str) -> Any:
    """Parses a JSON object, array or string; None if the text is none of these."""
    if not text.lstrip().startswith(CONTAINERS):
        return None
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def encode_json(value: Any) -> str:
    """The JSON of a value, with all digits of its Decimal numbers."""
    return "".join(_encode(value))


def _encode(value: Any) -> Iterator[str]:
    """The pieces of a value's JSON; json.dumps does not support Decimal."""
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


def find_encoded(text: str) -> Iterator[tuple[int, int, str]]:
    """The start, end and decoded text of each part of `text` that may be encoded."""
    if "%" in text or "+" in text:
        for word in WORD.finditer(text):
            yield from ((*word.span(), decoded) for decoded in _decode_percent(word[0]))
    for run in BASE64.finditer(text):
        yield (*run.span(), _decode_base64(run[0]))


def _decode_percent(word: str) -> Iterator[str]:
    """The decoded word: once with `+` kept, once with `+` as a space, as in forms."""
    if "%" in word:
        yield unquote(word)
    if "+" in word:
        yield unquote_plus(word)


def _decode_base64(run: str) -> str:
    """Decodes a run from each of its first four characters on; joins the results by newlines.

    Text right before the encoded part may look like base64 as well.
    """
    plain = run.rstrip("=").translate(ALPHABET)
    decoded = (_decode_from(plain[start:]) for start in range(4))
    return "\n".join(decoded)


def _decode_from(text: str) -> str:
    whole = text[:-1] if len(text) % 4 == 1 else text
    return b64decode(whole + "=" * (-len(whole) % 4)).decode(errors="replace")
