"""Small MessagePack values are read by ourselves, as msgspec reads them."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import msgspec
import pytest

from tfevents.errors import UnreadableDocument
from tfevents.readers.json import documents
from tfevents.readers.planfile import messagepack

SCALARS: list[Any] = [
    *(None, True, False, "", "ä", "x" * 31, "x" * 32, "x" * 255, "x" * 256, "x" * 70000),
    *(b"", b"x", b"x" * 256, b"x" * 70000, 0.5, -1e300, math.inf),
    *(0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63, 2**64 - 1),
    *(-1, -32, -33, -128, -129, -32768, -32769, -(2**31), -(2**31) - 1, -(2**63)),
]
UNKNOWN = [msgspec.msgpack.Ext(0, b"\0"), msgspec.msgpack.Ext(12, b"\x81\x01\xc2")]
LENGTHS = (0, 1, 15, 16, 300)


def value(random: Random, depth: int = 0) -> Any:
    """Whatever go-cty may store, and more."""
    kind = random.randrange(10)
    if depth > 3 or kind < 6:
        return random.choice(UNKNOWN if kind == 5 else SCALARS)
    length = random.choice(LENGTHS) if depth == 3 else random.randrange(4)
    if kind < 8:
        return [value(random, depth + 1) for _ in range(length)]
    return {f"k{n}": value(random, depth + 1) for n in range(length)}


def both(packed: bytes) -> list[tuple[Any, list[int]]]:
    """What each reader makes of it, and of which extensions it told."""
    found = []
    for unpack in (messagepack.unpack, documents.unpack):
        codes: list[int] = []
        try:
            found.append((unpack(packed, codes.append), codes))
        except UnreadableDocument as error:
            found.append((str(error), []))
    return found


@pytest.mark.parametrize("seed", range(300))
def test_a_value_is_the_same(seed: int) -> None:
    packed = msgspec.msgpack.encode(value(Random(seed)))
    ours, theirs = both(packed)
    assert ours == theirs


@pytest.mark.parametrize("scalar", SCALARS, ids=lambda scalar: repr(scalar)[:12])
def test_every_kind_is_read(scalar: Any) -> None:
    ours, theirs = both(msgspec.msgpack.encode(scalar))
    assert ours == theirs == (scalar, [])
    assert type(ours[0]) is type(theirs[0])


@pytest.mark.parametrize("seed", range(200))
def test_a_broken_value_is_refused_by_both(seed: int) -> None:
    """Cut off, or with something behind it."""
    random = Random(seed)
    packed = msgspec.msgpack.encode([value(random), value(random)])
    cut = packed[: random.randrange(len(packed))]
    for broken in (cut, packed + b"\xc0"):
        assert both(broken) == [(messagepack.NO_VALUE, [])] * 2


@pytest.mark.parametrize("size", [1, 2, 4, 8, 16])
def test_extensions_of_every_length(size: int) -> None:
    packed = msgspec.msgpack.encode(msgspec.msgpack.Ext(12, b"x" * size))
    assert both(packed) == [(None, [12])] * 2


def test_what_no_value_is() -> None:
    """A byte that nothing begins with, a text that is none, a value without a bottom."""
    for broken in (b"", b"\xc1", b"\xa1\xff", b"\x91" * 5000 + b"\xc0"):
        with pytest.raises(UnreadableDocument):
            messagepack.unpack(broken, lambda _: None)
