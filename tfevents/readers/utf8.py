"""Text in the encodings that shells write → UTF-8, as it comes."""

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
    """A `read` of the same text as UTF-8, without its mark.

    It raises UnreadableDocument where the bytes are not in the encoding of their mark, or not in
    UTF-8 without one.
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
        """Up to `size` bytes: two of UTF-16 may become three."""
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
