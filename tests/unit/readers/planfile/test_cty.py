"""Values in a plan file: known, unknown and invalid ones."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest
from msgspec.msgpack import Ext

from tfevents.errors import UnreadableDocument
from tfevents.readers.planfile.cty import has_unknown, parse_value

VALUES: list[Any] = ["ä", "x" * 70000, True, None, [], {}, ["a", {"b": None}], {"k": ["x"] * 300}]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:12])
def test_a_value_is_what_was_packed(value: Any) -> None:
    packed = msgspec.msgpack.encode(value)
    assert (parse_value(packed), has_unknown(packed)) == ((value, False), False)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (-33, "-33"), (2**64 - 1, str(2**64 - 1)), (-(2**63), str(-(2**63))), (0.5, "0.5")],
)
def test_a_number_is_its_text(number: float, text: str) -> None:
    assert parse_value(msgspec.msgpack.encode(number)) == (text, False)


@pytest.mark.parametrize("size", [1, 2, 4, 8, 16, 300])
def test_an_unknown_value_of_any_length_is_none(size: int) -> None:
    packed = msgspec.msgpack.encode(["a", Ext(12, b"x" * size)])
    assert (parse_value(packed), has_unknown(packed)) == ((["a", None], True), True)


@pytest.mark.parametrize("seed", range(50))
def test_a_value_that_is_cut_off_or_goes_on_is_refused(seed: int) -> None:
    random = Random(seed)
    packed = msgspec.msgpack.encode([random.choice(VALUES), random.choice(VALUES)])
    for broken in (packed[: random.randrange(len(packed))], packed + b"\xc0"):
        with pytest.raises(UnreadableDocument):
            parse_value(broken)


@pytest.mark.parametrize("broken", [b"", b"\xc1", b"\xa1\xff", b"\x91" * 5000 + b"\xc0"])
def test_what_is_no_value_is_refused(broken: bytes) -> None:
    """Nothing at all, an invalid first byte, a text that is not UTF-8 and a value nested too deeply
    are refused."""
    with pytest.raises(UnreadableDocument):
        parse_value(broken)
