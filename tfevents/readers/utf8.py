"""Converts a stream of text in the encodings that shells write (UTF-8, UTF-16) to UTF-8."""

from __future__ import annotations

import codecs

from tfevents.errors import UnreadableDocument
from tfevents.readers.streaming import Read, prepend, read_up_to

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",  # PowerShell's `>`
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_as_utf8(read: Read) -> Read:
    """A `read` function that returns the same text as UTF-8, without a byte order mark.

    The returned function raises UnreadableDocument for bytes that are invalid in the encoding of
    their byte order mark, or in UTF-8 if there is none.
    """
    head = read_up_to(max(map(len, MARKS)), read)
    encoding = next((MARKS[mark] for mark in MARKS if head.startswith(mark)), "utf-8")
    return _Encoder(prepend(head, read), encoding).read


class _Encoder:
    def __init__(self, read: Read, encoding: str) -> None:
        self._read = read
        self._name = encoding.removesuffix("-sig").upper()
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._decoded = 0

    def read(self, size: int) -> bytes:
        """About `size` bytes at most: two bytes of UTF-16 may become three. b"" at the end."""
        while piece := self._read(max(2, size * 2 // 3)):
            if text := self._decode(piece):
                return text.encode()
        self._decode(b"", final=True)
        return b""

    def _decode(self, piece: bytes, final: bool = False) -> str:
        pending = len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            at = self._decoded - pending + error.start + 1
            raise UnreadableDocument(f"byte {at} is not {self._name}") from None
        self._decoded += len(piece)
        return text
