"""Reads JSON of any size member by member: values are taken as bytes or skipped without parsing.

Brackets are counted a piece at a time, after removing quoted strings; this is five times as fast as
any tokenizer in Python. Skipped values are checked for balanced brackets only. Memory holds one
piece and the largest value taken, which MAX_VALUE_BYTES limits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from tfevents.errors import UnreadableDocument
from tfevents.readers.brackets import OPEN, count_unmatched, find_closing_bracket

T = TypeVar("T")
Read = Callable[[int], bytes]
"""A function that returns at most the given number of the next bytes; b"" at the end."""
PIECE = 1 << 18
MAX_VALUE_BYTES = 64 << 20
"""The most bytes of one value that is taken."""
MAX_ITEMS = 1_000_000
"""The most elements of one array, or members of one object."""
MIN_PIECE = 1 << 9
"""The fewest bytes of a piece: pieces are halved near the end of a container, else doubled."""

SPACE = b" \t\r\n"
ENDS = b",]} \t\r\n"


def read_up_to(size: int, read: Read) -> bytes:
    """The first `size` bytes, or fewer at the end; one `read` of a pipe may return fewer."""
    pieces = []
    while size > 0 and (piece := read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def prepend(head: bytes, read: Read) -> Read:
    """A `read` function that returns the bytes of `head` first, then those of `read`."""
    rest = memoryview(head)

    def first(size: int) -> bytes:
        nonlocal rest
        piece, rest = bytes(rest[:size]), rest[size:]
        return piece or read(size)

    return first


class Cursor:
    """A position in the JSON document that `read` returns piece by piece.

    Its methods raise UnreadableDocument for invalid JSON and for values beyond the limits above.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._held, self._at = b"", 0

    def members(self) -> Iterator[str]:
        """The member names of the object here; the caller must take, skip or iterate each value."""
        self._expect(b"{")
        for number in range(MAX_ITEMS):
            if not self._move_to_next(b"}", first=number == 0):
                return
            name = self._take_string()
            self._expect(b":")
            yield name.decode(errors="replace")
        raise _make_crowded_error()

    def skipped_members(self) -> Iterator[str]:
        """The member names of the object here; the values are skipped."""
        for name in self.members():
            self.skip()
            yield name

    def elements(self) -> Iterator[None]:
        """Yields once per element of the array here; the caller must take, skip or iterate it."""
        self._expect(b"[")
        for number in range(MAX_ITEMS):
            if not self._move_to_next(b"]", first=number == 0):
                return
            yield
        raise _make_crowded_error()

    def decoded(self, between: bytes, decode: Callable[[bytes], list[T] | None]) -> Iterator[T]:
        """The elements of the array here, decoded many at a time.

        `between` is the bytes around a comma between two elements: the array is cut there.
        `decode` parses an array; None if the cut was not between two of its elements.
        """
        return self._decode(b"[", b"]", between, decode, self.take)

    def decoded_members(
        self, between: bytes, decode: Callable[[bytes], list[T] | None]
    ) -> Iterator[T]:
        """The members of the object here, as in `decoded`; `decode` parses an object."""
        return self._decode(b"{", b"}", between, decode, self._take_member)

    def _decode(
        self,
        opening: bytes,
        closing: bytes,
        between: bytes,
        decode: Callable[[bytes], list[T] | None],
        take: Callable[[], bytes],
    ) -> Iterator[T]:
        """Decodes a piece cut at `between`, a smaller one if that fails, in the end one item."""
        self._expect(opening)
        size, first, many = PIECE, True, 0
        while self._move_to_next(closing, first):
            held = self._fill(size)
            cut = self._held.rfind(between, self._at, self._at + held)
            whole = self._held[self._at : cut + 1]
            found = decode(opening + whole + closing) if cut > self._at else None
            if found is not None:
                self._at, size, first = cut + 2, min(2 * size, PIECE), True
            elif cut > self._at and size > MIN_PIECE:
                size, first = size // 2, True
            else:
                one = take()
                found = decode(opening + one + closing)
                size, first = _clamp_size(2 * len(one)), False
                if found is None:
                    raise UnreadableDocument("it is no JSON as terraform writes it")
            many += len(found or ())
            if many > MAX_ITEMS:
                raise _make_crowded_error()
            yield from found or ()

    def is_at_container(self) -> bool:
        """Whether an object or an array begins here."""
        return self._peek() in OPEN

    def take(self) -> bytes:
        """The value that begins here, as bytes."""
        if self._peek() in OPEN:
            return b"".join(_limit(self._container()))
        if self._peek() == b'"':
            return b'"%b"' % self._take_string()
        return self._take_unquoted()

    def _take_member(self) -> bytes:
        name = self._take_string()
        self._expect(b":")
        return b'"%b":%b' % (name, self.take())

    def skip(self) -> None:
        """Skips the value that begins here."""
        if self._peek() in OPEN:
            for _ in self._container():
                pass
        elif self._peek() == b'"':
            self._skip_string()
        else:
            self._take_unquoted()

    def expect_end(self) -> None:
        """Checks that only white space follows. Raises UnreadableDocument."""
        while self._fill(1):
            if self._held[self._at :].strip(SPACE):
                raise UnreadableDocument("there is something behind the JSON")
            self._at = len(self._held)

    def _fill(self, size: int) -> int:
        """Reads until `size` bytes from here on are in memory; returns how many there are."""
        if len(self._held) - self._at < size:
            pieces = [self._held[self._at :]]
            missing = size - len(pieces[0])
            while missing > 0 and (piece := self._read(max(missing, PIECE))):
                pieces.append(piece)
                missing -= len(piece)
            self._held, self._at = b"".join(pieces), 0
        return min(size, len(self._held) - self._at)

    def _move_to_next(self, close: bytes, first: bool) -> bool:
        """Moves to the next member or element; returns False, past `close`, if there is none."""
        if self._peek() == close:
            self._at += 1
            return False
        if not first:
            self._expect(b",")
        return True

    def _peek(self) -> bytes:
        """Moves to the next byte that is no white space and returns it, without moving past it."""
        while self._fill(1):
            found = self._held[self._at : self._at + 1]
            if found not in SPACE:
                return found
            self._at += 1
        raise UnreadableDocument("it ends too early")

    def _expect(self, byte: bytes) -> None:
        if self._peek() != byte:
            raise UnreadableDocument("it is no JSON as terraform writes it")
        self._at += 1

    def _take_string(self) -> bytes:
        """The bytes between the quotes of the string here, with escapes as they are written."""
        self._expect(b'"')
        size = MIN_PIECE
        while True:
            held = self._fill(size)
            text = self._held[self._at : self._at + held]
            plain = text.replace(b"\\\\", b"..").replace(b'\\"', b"..")
            if (at := plain.find(b'"')) >= 0:
                self._at += at + 1
                return text[:at]
            size = self._enlarge(size, held)

    def _skip_string(self) -> None:
        self._expect(b'"')
        while held := self._fill(PIECE):
            text = self._held[self._at : self._at + held]
            text = _keep_escapes(text)
            plain = text.replace(b"\\\\", b"..").replace(b'\\"', b"..")
            at = plain.find(b'"')
            self._at += len(text) if at < 0 else at + 1
            if at >= 0:
                return
            if not text:
                break
        raise UnreadableDocument("it ends too early")

    def _take_unquoted(self) -> bytes:
        """The bytes of the number, true, false or null here."""
        size = MIN_PIECE
        while True:
            there = self._fill(size)
            held = self._held[self._at : self._at + there]
            length = next((i for i, byte in enumerate(held) if byte in ENDS), len(held))
            if length < len(held) or len(held) < size:
                self._at += length
                return held[:length]
            size = self._enlarge(size, there)

    @staticmethod
    def _enlarge(size: int, held: int) -> int:
        """The size to try next if no end was found in `held` bytes. Raises UnreadableDocument."""
        if held < size:
            raise UnreadableDocument("it ends too early")
        if size > MAX_VALUE_BYTES:
            raise _make_large_error()
        return 2 * size

    def _container(self) -> Iterator[bytes]:
        """The object or array here, in pieces of bytes."""
        yield self._peek()
        self._at += 1
        depth, in_string, size = 1, False, MIN_PIECE
        while depth:
            held = self._fill(size)
            # a piece must not end between a backslash and the character it escapes
            whole = _keep_escapes(self._held[self._at : self._at + held])
            if not whole and held < size:
                raise UnreadableDocument("it ends too early")
            closed, opened, ends_in_string = count_unmatched(whole, in_string)
            while (
                closed >= depth
                and len(whole) > MIN_PIECE
                and (half := _keep_escapes(whole[: len(whole) // 2]))
            ):
                whole = half
                closed, opened, ends_in_string = count_unmatched(whole, in_string)
            if closed < depth:
                depth, in_string = depth + opened - closed, ends_in_string
                size = min(2 * size, PIECE) if whole else 2 * size
            else:
                whole, depth = whole[: find_closing_bracket(whole, depth, in_string)], 0
            self._at += len(whole)
            yield whole


def _keep_escapes(piece: bytes) -> bytes:
    """`piece` without a last backslash whose escaped character is not in the piece."""
    return piece[: len(piece) - (len(piece) - len(piece.rstrip(b"\\"))) % 2]


def _clamp_size(size: int) -> int:
    """`size`, limited to what a piece may have: MIN_PIECE to PIECE."""
    return min(max(size, MIN_PIECE), PIECE)


def _limit(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same pieces. Raises UnreadableDocument for more than MAX_VALUE_BYTES bytes in all."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_VALUE_BYTES:
            raise _make_large_error()
        yield piece


def _make_large_error() -> UnreadableDocument:
    return UnreadableDocument(f"it has a value of more than {MAX_VALUE_BYTES} bytes")


def _make_crowded_error() -> UnreadableDocument:
    return UnreadableDocument(f"it has more than {MAX_ITEMS} members or elements in one place")
