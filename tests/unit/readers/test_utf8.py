"""Text in the encodings that shells write becomes UTF-8, in pieces of any size."""

from __future__ import annotations

from io import BytesIO

import pytest

from tfevents.errors import UnreadableDocument
from tfevents.readers.utf8 import read_as_utf8

TEXT = "{é\N{EURO SIGN}\N{GRINNING FACE}}" * 3


def read_all(data: bytes, size: int) -> bytes:
    """All the data as UTF-8, read in pieces of at most `size` bytes."""
    read = read_as_utf8(BytesIO(data).read)
    pieces = [*iter(lambda: read(size), b"")]
    assert all(len(piece) <= size for piece in pieces)
    return b"".join(pieces)


@pytest.mark.parametrize("size", [16, 17, 1000])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_text_in_any_encoding(encoding: str, size: int) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    assert read_all((mark + TEXT).encode(encoding), size) == TEXT.encode()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a" * 40 + b"\xe9", "byte 41 is not UTF-8"),
        (b"a" * 40 + "\N{EURO SIGN}".encode()[:2], "byte 41 is not UTF-8"),
        (b"\xff\xfea\0\0\xdcb\0", "byte 5 is not UTF-16"),
        (b"\xff\xfea", "byte 3 is not UTF-16"),
    ],
)
@pytest.mark.parametrize("size", [16, 1000])
def test_what_is_not_in_its_encoding_is_refused(data: bytes, told: str, size: int) -> None:
    with pytest.raises(UnreadableDocument, match=told):
        read_all(data, size)


def test_nothing_is_nothing() -> None:
    assert read_all(b"", 16) == read_all(b"\xef\xbb\xbf", 16) == b""
