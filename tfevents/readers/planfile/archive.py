"""A plan file's zip, read on guard: the few members we need, once each and of bounded size.

`internal/plans/planfile/{reader,writer}.go` in hashicorp/terraform and opentofu/opentofu; the
format is APPNOTE.TXT's, of which Go's `archive/zip` writes the plainest part. The standard
library's zipfile and what it wakes (pathlib, shutil, lzma) need a tenth of the time in which
terraform plans a few resources.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

from msgspec import Struct

from tfevents.errors import UnreadableDocument

PLAN, PRIOR, PREVIOUS, LOCK = "tfplan", "tfstate", "tfstate-prev", ".terraform.lock.hcl"
LIMITS = {PLAN: 256 << 20, PRIOR: 512 << 20, PREVIOUS: 512 << 20, LOCK: 1 << 20}
"""Bytes, inflated. A plan of 50,000 objects has a `tfplan` of 30 MB and states of 110 MB."""

DIRECTORY = 4 << 20
"""Bytes of the zip's directory: some 30,000 files."""

PIECE = 1 << 16
HEADER, HEADER_MARK = struct.Struct("<4s22xHH"), b"PK\x03\x04"
ENTRY, ENTRY_MARK = struct.Struct("<4s4xHH4xIIIHHH8xI"), b"PK\x01\x02"
END, END_MARK = struct.Struct("<4s8xIIH"), b"PK\x05\x06"
LOCATOR, LOCATOR_MARK = 20, b"PK\x06\x07"
STORED, DEFLATED = 0, 8
UNKNOWN = 0x61
"""Flags: encrypted, patched data, strongly encrypted."""
BROKEN = "its zip is broken"
WRONG = (zlib.error, struct.error, OSError, RuntimeError, EOFError, ValueError)
"""What a broken file comes to; values that are nested too deep are a RuntimeError."""


class Member(Struct, frozen=True):
    """One entry of the directory. `size`: bytes, inflated; `packed`: bytes in the file."""

    name: bytes
    flags: int
    method: int
    checksum: int
    packed: int
    size: int
    offset: int


class Stream:
    """One member's content, piece by piece; its length and checksum hold when the last is read."""

    def __init__(self, file: IO[bytes], member: Member) -> None:
        """`file` stands where the member's content begins."""
        self._file, self._packed = file, member.packed
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS) if member.method == DEFLATED else None
        self._left, self._expected, self._sum = member.size, member.checksum, 0

    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer only at the end."""
        pieces = []
        while size and (piece := self._piece(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _piece(self, most: int) -> bytes:
        """Some of what follows, checked; empty at the end."""
        piece = self._inflated(most) if self._inflate else self._raw(most)
        self._left -= len(piece)
        self._sum = zlib.crc32(piece, self._sum)
        ended = not piece and (self._left or self._sum != self._expected)
        if ended or self._left < 0:
            raise UnreadableDocument(BROKEN)
        return piece

    def _inflated(self, most: int) -> bytes:
        inflate, piece = self._inflate, b""
        while inflate and not (piece or inflate.eof):
            packed = inflate.unconsumed_tail or self._raw(PIECE)
            piece = inflate.decompress(packed, most) if packed else inflate.flush()
            if not (packed or piece):
                raise UnreadableDocument(BROKEN)
        return piece

    def _raw(self, most: int) -> bytes:
        data = self._file.read(min(most, self._packed))
        self._packed -= len(data)
        return data


class Archive:
    """The members of LIMITS, each of which is there once."""

    def __init__(self, file: IO[bytes]) -> None:
        """Raises UnreadableDocument."""
        self._file, self._members = file, _members(_directory(file))

    def checksum(self, name: str) -> int:
        """A member's CRC-32, which tells two plans apart."""
        return self._members[name].checksum

    def stream(self, name: str) -> Stream:
        """A member, to be read once, before the next one is begun. Raises UnreadableDocument."""
        member = self._members[name]
        self._file.seek(member.offset)
        mark, length, extra = HEADER.unpack(self._file.read(HEADER.size))
        if mark != HEADER_MARK or self._file.read(length) != member.name:
            raise UnreadableDocument(BROKEN)
        self._file.seek(extra, os.SEEK_CUR)
        return Stream(self._file, member)

    def read(self, name: str) -> bytes:
        """A whole member. Raises UnreadableDocument."""
        return self.stream(name).read(self._members[name].size + 1)


@contextmanager
def opened(path: str) -> Iterator[Archive]:
    """The plan file at `path`; whatever goes wrong while it is open raises UnreadableDocument."""
    try:
        if not os.path.isfile(path):
            raise UnreadableDocument("there is no such file")
        with open(path, "rb") as file:
            yield Archive(file)
    except (UnreadableDocument, *WRONG) as error:
        reason = str(error) if isinstance(error, UnreadableDocument) else BROKEN
        raise UnreadableDocument(
            f"can't read the plan file {path} directly: {reason}; use `show -json` of it"
        ) from None


def _directory(file: IO[bytes]) -> bytes:
    """Of a zip as Go writes it: from the first byte to the last, and no zip64 (4 GB, 65,535
    files)."""
    head = file.read(1 << 16)
    if not head.startswith(HEADER_MARK):
        raise UnreadableDocument(_foreign(head))
    end = file.seek(-END.size, os.SEEK_END)
    file.seek(end - LOCATOR)
    locator = file.read(LOCATOR)
    mark, size, offset, comment = END.unpack(file.read())
    if mark != END_MARK or comment or locator.startswith(LOCATOR_MARK) or offset + size != end:
        raise UnreadableDocument(BROKEN)
    if size > DIRECTORY:
        raise UnreadableDocument("its zip has too many members")
    file.seek(offset)
    return file.read(size)


def _foreign(head: bytes) -> str:
    """What else `plan -out` writes (semantics §1.4, §4.5)."""
    if b'"remote_plan_format"' in head:
        return "it is a bookmark of a plan in HCP Terraform"
    if b'"encrypted_data"' in head:
        return "it is encrypted"
    return "it is no plan file"


def _members(directory: bytes) -> Mapping[str, Member]:
    found: dict[str, list[Member]] = {name: [] for name in LIMITS}
    wanted = {name.encode(): members for name, members in found.items()}
    for member in _entries(directory):
        if member.name in wanted:
            wanted[member.name].append(member)
    for name, members in found.items():
        if len(members) != 1:
            raise UnreadableDocument(f"it has {len(members)} members {name}")
        _check(name, members[0])
    return {name: members[0] for name, members in found.items()}


def _entries(directory: bytes) -> Iterator[Member]:
    at = 0
    while at < len(directory):
        mark, *about, name, extra, comment, offset = ENTRY.unpack_from(directory, at)
        if mark != ENTRY_MARK:
            raise UnreadableDocument(BROKEN)
        at += ENTRY.size
        flags, method, checksum, packed, size = about
        yield Member(directory[at : at + name], flags, method, checksum, packed, size, offset)
        at += name + extra + comment


def _check(name: str, member: Member) -> None:
    if member.flags & UNKNOWN or member.method not in (STORED, DEFLATED):
        raise UnreadableDocument(f"its {name} is packed in an unknown way")
    if member.size > LIMITS[name]:
        raise UnreadableDocument(f"its {name} has more than {LIMITS[name]} bytes")
