"""The wire format of protocol buffers, read strictly and in bounded memory.

https://protobuf.dev/programming-guides/encoding/ : a message is a row of fields, each a key
(number and wire type) and a value. A plan has whole numbers and byte strings, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO

from tfevents.errors import UnreadableDocument

NUMBER, BYTES = 0, 2
"""The two wire types there are in a plan (VARINT and LEN)."""

ANY = 0
PIECE = 1 << 18
RECORD = 64 << 20
RECORDS, FIELDS = 1_000_000, 100_000
"""How many fields the outermost message may have, and one of those within."""
HEADER = 20
"""The longest key and length: two varints of ten bytes."""

Value = int | bytes


@dataclass(frozen=True)
class Schema:
    """What a message may hold: its numbers (once each), and how often each byte string comes.

    A byte string that may come `ANY` number of times is skipped, not kept.
    """

    name: str
    numbers: frozenset[int] = frozenset()
    strings: Mapping[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Message:
    """A message's fields by their numbers; what is missing is 0 or empty."""

    numbers: dict[int, int] = field(default_factory=dict)
    strings: dict[int, list[bytes]] = field(default_factory=dict)

    def add(self, schema: Schema, number: int, value: Value) -> None:
        """One more field; what `schema` does not foresee raises UnreadableDocument."""
        if isinstance(value, int):
            if number not in schema.numbers or number in self.numbers:
                raise _unforeseen(schema, number)
            self.numbers[number] = value
        elif (most := schema.strings.get(number)) != ANY:
            kept = self.strings.setdefault(number, [])
            if most is None or len(kept) == most:
                raise _unforeseen(schema, number)
            kept.append(value)

    def number(self, number: int) -> int:
        """A number, bool or enum."""
        return self.numbers.get(number, 0)

    def text(self, number: int) -> str:
        """A string. Raises UnreadableDocument."""
        if number not in self.strings:
            return ""
        try:
            return self.strings[number][0].decode()
        except UnicodeDecodeError:
            raise UnreadableDocument("it has a text that is not UTF-8") from None


def _unforeseen(schema: Schema, number: int) -> UnreadableDocument:
    """For a field that is unknown, of another type, or there too often."""
    return UnreadableDocument(
        f"its {schema.name} has a field {number} that this tfevents does not know"
    )


def parse(encoded: bytes, schema: Schema) -> Message:
    """The message that is `encoded`. Raises UnreadableDocument."""
    message = Message()
    at, end = 0, len(encoded)
    for _ in range(FIELDS):
        if at == end:
            return message
        key, at = _varint(encoded, at)
        value, at = _varint(encoded, at)
        if key & 7 == BYTES:
            start, at = at, at + value
            if at > end:
                raise _truncated()
            message.add(schema, key >> 3, encoded[start:at])
        else:
            message.add(schema, key >> 3, _number(key, value))
    raise UnreadableDocument(f"its {schema.name} has more than {FIELDS} fields")


def stream(file: IO[bytes]) -> Iterator[tuple[int, Value]]:
    """The fields of a message of any size; only the one in hand is in memory."""
    held, at = b"", 0
    for _ in range(RECORDS):
        if len(held) - at < HEADER:
            held, at = held[at:] + file.read(PIECE), 0
            if not held:
                return
        key, at = _varint(held, at)
        value, at = _varint(held, at)
        if key & 7 == BYTES:
            held, at = _reach(file, held, at, value)
            yield key >> 3, held[at : at + value]
            at += value
        else:
            yield key >> 3, _number(key, value)
    raise UnreadableDocument(f"it has more than {RECORDS} fields")


def _reach(file: IO[bytes], held: bytes, at: int, length: int) -> tuple[bytes, int]:
    """What is held, read on until `length` bytes follow `at`."""
    missing = length - (len(held) - at)
    if missing <= 0:
        return held, at
    if length > RECORD:
        raise UnreadableDocument(f"it has a field of more than {RECORD} bytes")
    held = held[at:] + file.read(missing + PIECE)
    if len(held) < length:
        raise _truncated()
    return held, 0


def _number(key: int, value: int) -> int:
    if key & 7 != NUMBER:
        raise UnreadableDocument(f"it has a field of wire type {key & 7}")
    return value


def _varint(encoded: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where it ends: seven bits a byte, the lowest first."""
    try:
        byte = encoded[at]
        if byte < 0x80:
            return byte, at + 1
        value = byte & 0x7F
        for shift in range(7, 70, 7):
            at += 1
            byte = encoded[at]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, at + 1
    except IndexError:
        raise _truncated() from None
    raise UnreadableDocument("it has a number of more than ten bytes")


def _truncated() -> UnreadableDocument:
    return UnreadableDocument("it ends too early")
