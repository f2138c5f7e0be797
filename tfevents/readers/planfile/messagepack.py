"""A small MessagePack value, as msgspec reads it, which is slow to wake for a few outputs.

https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from __future__ import annotations

from collections.abc import Callable
from struct import error, unpack_from
from typing import Any

from tfevents.errors import UnreadableDocument

NUMBERS = {
    **{0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q"},
    **{0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"},
}
CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
LENGTHS = {1: ">B", 2: ">H", 4: ">I"}
TEXTS, BYTES = {0xD9: 1, 0xDA: 2, 0xDB: 4}, {0xC4: 1, 0xC5: 2, 0xC6: 4}
ARRAYS, MAPS = {0xDC: 2, 0xDD: 4}, {0xDE: 2, 0xDF: 4}
EXTENSIONS = {0xC7: 1, 0xC8: 2, 0xC9: 4}
DEEPEST = 100
NO_VALUE = "it has a value that is no MessagePack"


def unpack(packed: bytes, extension: Callable[[int], None]) -> Any:
    """The one value that is in `packed`; what `extension` is told the code of is None.

    Raises UnreadableDocument.
    """
    reader = _Reader(packed, extension)
    try:
        value = reader.value(DEEPEST)
    except (error, IndexError, UnicodeDecodeError, TypeError):
        raise UnreadableDocument(NO_VALUE) from None
    if reader.at != len(packed):
        raise UnreadableDocument(NO_VALUE)
    return value


class _Reader:
    def __init__(self, packed: bytes, extension: Callable[[int], None]) -> None:
        self._packed, self._extension, self.at = packed, extension, 0

    def value(self, deepest: int) -> Any:
        """The next one. What is nested deeper than `deepest` is no value of terraform's."""
        if not deepest:
            raise UnreadableDocument(NO_VALUE)
        kind = self._packed[self.at]
        self.at += 1
        if kind < 0x80 or kind >= 0xE0:
            return kind if kind < 0x80 else kind - 0x100
        if kind < 0xC0:
            return self._short(kind, deepest - 1)
        if kind in CONSTANTS:
            return CONSTANTS[kind]
        if kind in NUMBERS:
            return self._number(NUMBERS[kind])
        return self._long(kind, deepest - 1)

    def _short(self, kind: int, deepest: int) -> Any:
        """What says its length in its first byte."""
        if kind >= 0xA0:
            return self._take(kind & 0x1F).decode()
        return self._array(kind & 0x0F, deepest) if kind >= 0x90 else self._map(kind & 15, deepest)

    def _long(self, kind: int, deepest: int) -> Any:
        if kind in TEXTS:
            return self._take(self._length(TEXTS[kind])).decode()
        if kind in BYTES:
            return self._take(self._length(BYTES[kind]))
        if kind in ARRAYS:
            return self._array(self._length(ARRAYS[kind]), deepest)
        if kind in MAPS:
            return self._map(self._length(MAPS[kind]), deepest)
        size = self._length(EXTENSIONS[kind]) if kind in EXTENSIONS else _fixed(kind)
        code: int = self._number(">b")
        self._take(size)
        return self._extension(code)

    def _array(self, length: int, deepest: int) -> list[Any]:
        return [self.value(deepest) for _ in range(length)]

    def _map(self, length: int, deepest: int) -> dict[Any, Any]:
        return {self.value(deepest): self.value(deepest) for _ in range(length)}

    def _length(self, size: int) -> int:
        length: int = self._number(LENGTHS[size])
        return length

    def _number(self, form: str) -> Any:
        (number,) = unpack_from(form, self._packed, self.at)
        self.at += {"B": 1, "b": 1, "H": 2, "h": 2, "Q": 8, "q": 8, "d": 8}.get(form[1], 4)
        return number

    def _take(self, length: int) -> bytes:
        taken = self._packed[self.at : self.at + length]
        if len(taken) != length:
            raise IndexError
        self.at += length
        return taken


def _fixed(kind: int) -> int:
    """The length of an extension of fixed length."""
    if not 0xD4 <= kind <= 0xD8:
        raise UnreadableDocument(NO_VALUE)
    return int(1 << (kind - 0xD4))
