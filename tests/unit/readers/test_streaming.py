"""JSON is skipped in linear time, however deep its values are nested."""

from __future__ import annotations

import random
from io import BytesIO
from time import process_time

import pytest
from support.exhaustive import exhaustive_except

from tfevents.errors import UnreadableDocument
from tfevents.readers.brackets import ROUNDS
from tfevents.readers.streaming import PIECE, Cursor


def nest(rng: random.Random, depth: int) -> bytes:
    """A value of this depth, with more values beside it on each level."""
    value = b"1"
    for _ in range(depth):
        beside = rng.choice([b"", b',{"a]":[]}', b',"}"', b',[{"b":{}}]'])
        value = rng.choice([b"[%b%b]", b'{"x":[%b%b]}']) % (value, beside)
    return value


DEPTHS = [0, 1, ROUNDS - 1, ROUNDS, ROUNDS + 1, 1000, 30_000]


@pytest.mark.parametrize("depth", exhaustive_except(DEPTHS, *DEPTHS[:-1]))
def test_a_value_of_any_depth_is_skipped_to_its_end(depth: int) -> None:
    """What is behind the value is read next, wherever the pieces of the value are cut."""
    rng = random.Random(depth)
    for _ in range(3):
        cursor = Cursor(BytesIO(b'[%b, "next"]' % nest(rng, depth)).read)
        elements = cursor.elements()
        next(elements)
        cursor.skip()
        next(elements)
        assert cursor.take() == b'"next"'


@pytest.mark.parametrize("text", [b"[" * PIECE, b"[" * 1000 + b"]" * 999, b'{"a":[}'])
def test_a_value_that_does_not_end_is_refused(text: bytes) -> None:
    """Brackets without a partner make the document unreadable, at any depth."""
    cursor = Cursor(BytesIO(text).read)
    with pytest.raises(UnreadableDocument):
        cursor.skip()


def test_deep_values_take_no_longer_than_flat_ones() -> None:
    """A plan file of 1 KB can unpack to megabytes of brackets."""
    deep = b"[" * PIECE + b"]" * PIECE
    cursor = Cursor(BytesIO(deep * 4).read)
    start = process_time()
    for _ in range(4):
        cursor.skip()
    cursor.expect_end()
    assert process_time() - start < 5
