"""Reads the four members of a plan file that are needed: each must be there once, within a limit.

A plan file is a zip as Go's `archive/zip` writes it, with nothing before or after the zip
(`internal/plans/planfile/{reader,writer}.go` in hashicorp/terraform and opentofu/opentofu).
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from tfevents.errors import UnreadableDocument

PLAN, PRIOR, PREVIOUS, LOCK = "tfplan", "tfstate", "tfstate-prev", ".terraform.lock.hcl"
LIMITS = {PLAN: 256 << 20, PRIOR: 512 << 20, PREVIOUS: 512 << 20, LOCK: 1 << 20}
"""The most bytes of each member, uncompressed.

A plan of 50,000 objects has a `tfplan` of 30 MB and states of 110 MB.
"""
DIRECTORY_LIMIT = 4 << 20
"""The most bytes of the zip's central directory: some 30,000 files."""

HEADER_MARK, LOCATOR_MARK, END_MARK = b"PK\x03\x04", b"PK\x06\x07", b"PK\x05\x06"
END, LOCATOR_SIZE = struct.Struct("<20s4s8xIIH"), 20
"""A zip's end: bytes of a possible zip64 locator, then the end record (APPNOTE.TXT, 4.3.16)."""
BROKEN = "its zip is broken"
ZIP_ERRORS = (BadZipFile, zlib.error, struct.error, OSError, RuntimeError, EOFError, ValueError)
"""The errors that reading a broken file raises; too deep nesting raises a RuntimeError."""


class PlanArchive:
    """An open plan file."""

    def __init__(self, file: IO[bytes]) -> None:
        """Raises UnreadableDocument, or one of ZIP_ERRORS."""
        _check_ends(file)
        self._zip = ZipFile(file)
        self._members = {name: _find_member(self._zip, name) for name in LIMITS}

    def checksum(self, name: str) -> int:
        """A member's CRC-32; that of `tfplan` differs between plans."""
        return self._members[name].CRC

    @contextmanager
    def open_member(self, name: str) -> Iterator[IO[bytes]]:
        """Opens a member, which the caller must read to its end.

        Raises UnreadableDocument if fewer bytes were read than the zip's directory says.
        """
        member = self._members[name]
        with self._zip.open(member) as file:
            yield file
            if file.tell() != member.file_size:
                raise UnreadableDocument(BROKEN)

    def read_member(self, name: str) -> bytes:
        """A member's content; never more bytes than the zip's directory says."""
        with self.open_member(name) as file:
            return file.read(self._members[name].file_size)


@contextmanager
def open_archive(path: str) -> Iterator[PlanArchive]:
    """Opens the plan file at `path`.

    Turns every error of ZIP_ERRORS that is raised while the file is open into an
    UnreadableDocument; each UnreadableDocument names the file.
    """
    try:
        if not os.path.isfile(path):
            raise UnreadableDocument("there is no such file")
        with open(path, "rb") as file:
            yield PlanArchive(file)
    except (UnreadableDocument, *ZIP_ERRORS) as error:
        reason = str(error) if isinstance(error, UnreadableDocument) else BROKEN
        raise UnreadableDocument(
            f"can't read the plan file {path} directly: {reason}; use `show -json` of it"
        ) from None


def _check_ends(file: IO[bytes]) -> None:
    """Raises UnreadableDocument for a zip that Go does not write or with too large a directory.

    Go writes nothing before or after the zip, no comment and no zip64 (over 4 GB or 65,535 files).
    zipfile would hold the whole directory in memory.
    """
    head = file.read(1 << 16)
    if not head.startswith(HEADER_MARK):
        raise UnreadableDocument(_describe_foreign(head))
    end = file.seek(-END.size, os.SEEK_END) + LOCATOR_SIZE
    locator, mark, size, offset, comment = END.unpack(file.read())
    if mark != END_MARK or comment or locator.startswith(LOCATOR_MARK) or offset + size != end:
        raise UnreadableDocument(BROKEN)
    if size > DIRECTORY_LIMIT:
        raise UnreadableDocument("its zip has too many members")


def _describe_foreign(head: bytes) -> str:
    """The reason to refuse a file that is no zip, such as an encrypted or remote plan."""
    if b'"remote_plan_format"' in head:
        return "it is a bookmark of a plan in HCP Terraform"
    if b'"encrypted_data"' in head:
        return "it is encrypted"
    return "it is no plan file"


def _find_member(zipped: ZipFile, name: str) -> ZipInfo:
    found = [member for member in zipped.infolist() if member.filename == name]
    if len(found) != 1:
        raise UnreadableDocument(f"it has {len(found)} members {name}")
    if found[0].compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise UnreadableDocument(f"its {name} is packed in an unknown way")
    if found[0].file_size > LIMITS[name]:
        raise UnreadableDocument(f"its {name} has more than {LIMITS[name]} bytes")
    return found[0]
