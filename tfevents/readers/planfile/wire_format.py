"""Parses the wire format of protocol buffers, strictly and in bounded memory.

https://protobuf.dev/programming-guides/encoding/ : a message is a sequence of fields, each a key
(number and wire type) and a value. A plan has only whole numbers and byte strings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import IO

from msgspec import Struct

from tfevents.errors import UnreadableDocument

NUMBER, BYTES = 0, 2
"""The two wire types in a plan (VARINT and LEN)."""

ANY = 0
PIECE = 1 << 18
MAX_FIELD_BYTES = 64 << 20
MAX_PLAN_FIELDS, MAX_MESSAGE_FIELDS = 1_000_000, 100_000
"""The most fields of the outermost message, and of a message inside it."""
MAX_HEADER_BYTES = 20
"""The most bytes of a key and a length: two varints of ten bytes."""

Value = int | bytes


class Schema(Struct, frozen=True):
    """The fields a message may have: by key, the most times each may occur.

    Fields with the limit `ANY` may occur any number of times and are skipped.
    """

    name: str
    limits: Mapping[int, int]


def make_schema(name: str, *, numbers: Iterable[int] = (), strings: Mapping[int, int]) -> Schema:
    """A schema with these numbers (once each) and byte strings (each with its limit)."""
    limits = {number << 3 | NUMBER: 1 for number in numbers}
    return Schema(name, limits | {number << 3 | BYTES: most for number, most in strings.items()})


class Message(Struct):
    """A message's values by field number; a missing field is 0 or empty."""

    numbers: dict[int, int] = {}
    strings: dict[int, list[bytes]] = {}

    def add(self, number: int, value: Value, schema: Schema) -> None:
        """Adds a field. Raises UnreadableDocument if `schema` does not allow it."""
        most = schema.limits.get(number << 3 | (NUMBER if isinstance(value, int) else BYTES))
        if most is None:
            raise _make_unforeseen_error(number, schema)
        if most != ANY:
            self._keep(number, value, schema, most)

    def _keep(self, number: int, value: Value, schema: Schema, most: int) -> None:
        if isinstance(value, int):
            if number in self.numbers:
                raise _make_unforeseen_error(number, schema)
            self.numbers[number] = value
        elif number not in self.strings:
            self.strings[number] = [value]
        elif len(self.strings[number]) < most:
            self.strings[number].append(value)
        else:
            raise _make_unforeseen_error(number, schema)

    def number(self, number: int) -> int:
        """The value of a number, bool or enum field; 0 if it is missing."""
        return self.numbers.get(number, 0)

    def text(self, number: int) -> str:
        """The first value of a string field; "" if it is missing.

        Raises UnreadableDocument if it is not UTF-8.
        """
        if number not in self.strings:
            return ""
        try:
            return self.strings[number][0].decode()
        except UnicodeDecodeError:
            raise UnreadableDocument("it has a text that is not UTF-8") from None


def _make_unforeseen_error(number: int, schema: Schema) -> UnreadableDocument:
    """The error for a field that is unknown, has another wire type or occurs too often."""
    return UnreadableDocument(
        f"its {schema.name} has a field {number} that this tfevents does not know"
    )


def parse_message(encoded: bytes, schema: Schema) -> Message:
    """Parses an encoded message. Raises UnreadableDocument if `schema` does not allow it."""
    message, limits = Message(), schema.limits
    at, end = 0, len(encoded)
    for _ in range(MAX_MESSAGE_FIELDS):
        if at == end:
            return message
        key, value, at = _parse_head(encoded, at)
        most = limits.get(key)
        if most is None:
            raise _make_unforeseen_error(key >> 3, schema)
        if key & 7 == NUMBER:
            message._keep(key >> 3, value, schema, most)
            continue
        start, at = at, at + value
        if at > end:
            raise _make_truncated_error()
        if most != ANY:
            message._keep(key >> 3, encoded[start:at], schema, most)
    raise UnreadableDocument(f"its {schema.name} has more than {MAX_MESSAGE_FIELDS} fields")


def iterate_fields(file: IO[bytes]) -> Iterator[tuple[int, Value]]:
    """The numbers and values of the fields in `file`; only one field at a time is in memory.

    Raises UnreadableDocument.
    """
    held, at = b"", 0
    for _ in range(MAX_PLAN_FIELDS):
        if len(held) - at < MAX_HEADER_BYTES:
            held, at = held[at:] + file.read(PIECE), 0
            if not held:
                return
        key, value, at = _parse_head(held, at)
        if key & 7 == BYTES:
            held, at = _read_missing(file, held, at, value)
            yield key >> 3, held[at : at + value]
            at += value
        else:
            yield key >> 3, _check_number(key, value)
    raise UnreadableDocument(f"it has more than {MAX_PLAN_FIELDS} fields")


def _read_missing(file: IO[bytes], held: bytes, at: int, length: int) -> tuple[bytes, int]:
    """Reads on until `length` bytes follow `at`; returns the bytes held and the new `at`."""
    missing = length - (len(held) - at)
    if missing <= 0:
        return held, at
    if length > MAX_FIELD_BYTES:
        raise UnreadableDocument(f"it has a field of more than {MAX_FIELD_BYTES} bytes")
    held = held[at:] + file.read(missing + PIECE)
    if len(held) < length:
        raise _make_truncated_error()
    return held, 0


def _check_number(key: int, value: int) -> int:
    if key & 7 != NUMBER:
        raise UnreadableDocument(f"it has a field of wire type {key & 7}")
    return value


def _parse_head(encoded: bytes, at: int) -> tuple[int, int, int]:
    """A field's key, the number or length after it, and the index after both."""
    try:
        key, value = encoded[at], encoded[at + 1]
        if key | value < 0x80:
            return key, value, at + 2
        if key < 0x80 and (high := encoded[at + 2]) < 0x80:
            return key, value & 0x7F | high << 7, at + 3
        key, at = _parse_varint(encoded, at)
        value, at = _parse_varint(encoded, at)
        return key, value, at
    except IndexError:
        raise _make_truncated_error() from None


def _parse_varint(encoded: bytes, at: int) -> tuple[int, int]:
    """The number at `at` (seven bits per byte, lowest first), and the index after it."""
    value = 0
    for shift in range(0, 70, 7):
        byte = encoded[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise UnreadableDocument("it has a number of more than ten bytes")


def _make_truncated_error() -> UnreadableDocument:
    return UnreadableDocument("it ends too early")
