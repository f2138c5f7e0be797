"""A plan file's zip, opened on guard: the few members we read, once each and of bounded size.

`internal/plans/planfile/{reader,writer}.go` in hashicorp/terraform and opentofu/opentofu.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from tfevents.errors import UnreadableDocument

PLAN, PRIOR, PREVIOUS, LOCK = "tfplan", "tfstate", "tfstate-prev", ".terraform.lock.hcl"
LIMITS = {PLAN: 256 << 20, PRIOR: 512 << 20, PREVIOUS: 512 << 20, LOCK: 1 << 20}
"""Bytes, inflated. A plan of 50,000 objects has a `tfplan` of 30 MB and states of 110 MB."""

DIRECTORY = 4 << 20
"""Bytes of the zip's directory, which zipfile holds in memory: some 30,000 files."""

END = struct.Struct("<4s8xI4xH")
LOCATOR = 20
SIGNATURE, END_SIGNATURE, LOCATOR_SIGNATURE = b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x07"


@contextmanager
def opened(path: str) -> Iterator[ZipFile]:
    """The plan file at `path`; whatever goes wrong while it is open raises UnreadableDocument."""
    try:
        if not os.path.isfile(path):
            raise UnreadableDocument("there is no such file")
        with open(path, "rb") as file:
            _check(file)
            with ZipFile(file) as zipped:
                _check_members(zipped)
                yield zipped
    except (UnreadableDocument, *BROKEN) as error:
        raise UnreadableDocument(
            f"can't read the plan file {path} directly: {_reason(error)}; use `show -json` of it"
        ) from None


BROKEN = (BadZipFile, zlib.error, struct.error, OSError, RuntimeError, EOFError, ValueError)
"""What zipfile and zlib raise for a broken file; an encrypted member is a RuntimeError."""


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, UnreadableDocument) else "its zip is broken"


def _check(file: IO[bytes]) -> None:
    """A zip as Go writes it: from the first byte to the last, and no zip64 (4 GB, 65,535 files)."""
    head = file.read(1 << 16)
    if not head.startswith(SIGNATURE):
        raise UnreadableDocument(_foreign(head))
    file.seek(-END.size - LOCATOR, os.SEEK_END)
    tail = file.read()
    signature, directory, comment = END.unpack(tail[LOCATOR:])
    if signature != END_SIGNATURE or comment or tail.startswith(LOCATOR_SIGNATURE):
        raise UnreadableDocument("its zip is broken")
    if directory > DIRECTORY:
        raise UnreadableDocument("its zip has too many members")


def _foreign(head: bytes) -> str:
    """What else `plan -out` writes (semantics §1.4, §4.5)."""
    if b'"remote_plan_format"' in head:
        return "it is a bookmark of a plan in HCP Terraform"
    if b'"encrypted_data"' in head:
        return "it is encrypted"
    return "it is no plan file"


def _check_members(zipped: ZipFile) -> None:
    names = Counter(zipped.namelist())
    for name, limit in LIMITS.items():
        if names[name] != 1:
            raise UnreadableDocument(f"it has {names[name]} members {name}")
        member = zipped.getinfo(name)
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise UnreadableDocument(f"its {name} is compressed in an unknown way")
        if member.file_size > limit:
            raise UnreadableDocument(f"its {name} has more than {limit} bytes")
