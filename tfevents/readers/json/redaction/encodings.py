"""What a text can be read as besides itself: JSON, percent-encoded, base64."""

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
"""What may be percent-encoded as a whole."""
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{6,}={0,2}")
"""Six characters are four bytes. Also the alphabet of URLs."""
ALPHABET = str.maketrans("-_", "+/")


def parse_json(text: str) -> Any:
    """The object, array or text that a text is the JSON of; None where it is none."""
    if not text.lstrip().startswith(CONTAINERS):
        return None
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def encode_json(value: Any) -> str:
    """JSON, with numbers as they were written."""
    return "".join(_encode(value))


def _encode(value: Any) -> Iterator[str]:
    """In pieces: json knows no Decimal."""
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
    """The stretches, from and to, that may be encoded, and what they decode to."""
    if "%" in text or "+" in text:
        for word in WORD.finditer(text):
            yield from ((*word.span(), decoded) for decoded in _decode_percent(word[0]))
    for run in BASE64.finditer(text):
        yield (*run.span(), _decode_base64(run[0]))


def _decode_percent(word: str) -> Iterator[str]:
    """With `+` as it is, and as the space of a form."""
    if "%" in word:
        yield unquote(word)
    if "+" in word:
        yield unquote_plus(word)


def _decode_base64(run: str) -> str:
    """From each of the four places where it can begin, for what stands before may look like it."""
    plain = run.rstrip("=").translate(ALPHABET)
    decoded = (_decode_from(plain[start:]) for start in range(4))
    return "\n".join(decoded)


def _decode_from(text: str) -> str:
    whole = text[:-1] if len(text) % 4 == 1 else text
    return b64decode(whole + "=" * (-len(whole) % 4)).decode(errors="replace")
