"""Broken and malicious plan files are refused quickly, with little memory and with no other error.

`TFEVENTS_TEST_FLIPS` sets how many bits of each byte are flipped (1).
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from support.paths import ENGINES
from support.planfile import forge
from support.planfile.compare import facts
from support.planfile.forge import field, resource, tfplan

from tfevents.errors import UnreadableDocument
from tfevents.readers.planfile import archive, reader
from tfevents.readers.planfile.reader import PlanFile

RECORDED = ENGINES / "terraform-1.17-dev" / "update"
SEEDS = range(int(os.environ.get("TFEVENTS_TEST_FLIPS", "1")))
NIL = b"\xc0"


def accepted(path: Path, content: bytes) -> PlanFile | None:
    """The plan file with this content, or None if it is refused; any other error fails the test."""
    path.write_bytes(content)
    try:
        file = reader.read_plan_file(str(path))
    except UnreadableDocument:
        reader.read_mode(str(path))
        return None
    with suppress(UnreadableDocument):
        file.read_prior_state()
    return file


def refused(path: Path, content: bytes) -> bool:
    """Whether the plan file with this content is refused."""
    return accepted(path, content) is None


@pytest.fixture
def recorded() -> bytes:
    return (RECORDED / "plan.tfplan").read_bytes()


@pytest.mark.exhaustive
def test_a_truncated_file_is_refused(recorded: bytes, tmp_path: Path) -> None:
    path = tmp_path / "p.tfplan"
    assert all(refused(path, recorded[:length]) for length in range(len(recorded)))


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", SEEDS)
def test_a_flipped_bit_is_refused_or_changes_nothing(
    seed: int, recorded: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "p.tfplan"
    expected = facts(reader.read_plan_file(str(RECORDED / "plan.tfplan")).plan)
    for at in range(len(recorded)):
        flipped = bytearray(recorded)
        flipped[at] ^= 1 << Random(f"{seed} {at}").randrange(8)
        file = accepted(path, bytes(flipped))
        assert file is None or facts(file.plan) == expected, at


def members(content: bytes) -> dict[str, bytes]:
    """The content of each member of a plan file's zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        return {name: zipped.read(name) for name in archive.LIMITS}


@pytest.mark.exhaustive
def test_a_plan_that_ends_within_a_field_is_refused(recorded: bytes, tmp_path: Path) -> None:
    """In a valid zip, a plan cut off within a field is refused; a plan cut off between two fields
    is one with fewer fields."""
    content = members(recorded)
    plan = content["tfplan"]
    kept = [
        length
        for length in range(len(plan))
        if not refused(tmp_path / "p", forge.zipped(content | {"tfplan": plan[:length]}))
    ]
    assert len(kept) < 10
    assert min(kept) > len(plan) / 2


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", SEEDS)
def test_a_flipped_bit_in_a_sound_zip_never_crashes(
    seed: int, recorded: bytes, tmp_path: Path
) -> None:
    content = members(recorded)
    for at in range(len(content["tfplan"])):
        flipped = bytearray(content["tfplan"])
        flipped[at] ^= 1 << Random(f"{seed} {at}").randrange(8)
        refused(tmp_path / "p", forge.zipped(content | {"tfplan": bytes(flipped)}))


def test_noise_never_crashes(tmp_path: Path) -> None:
    random = Random(1)
    for length in range(300):
        noise = random.randbytes(length)
        assert refused(tmp_path / "p", noise)
        assert refused(tmp_path / "p", forge.zipped(forge.members(noise)))
        value = field(18, resource("a.b", 3, noise or NIL, NIL))
        refused(tmp_path / "p", forge.zipped(forge.members(tfplan(value))))


def raw(*parts: int | bytes) -> bytes:
    return b"".join(bytes([part]) if isinstance(part, int) else part for part in parts)


MESSAGES = {
    "a varint of eleven bytes": raw(0x08, b"\x80" * 10, 0),
    "a varint that never ends": b"\xff" * 1000,
    "a key that never ends": b"\xff" * 10,
    "a length past the end": raw(0x1A, forge.varint(1 << 20), b"x"),
    "a length of 2^64": raw(0x1A, b"\xff" * 9, 1),
    "a length of 2^63 within": field(3, raw(0x6A, b"\xff" * 8, 0x7F)),
    "a field of eight bytes": raw(0x09, b"\0" * 8),
    "a field of four bytes": raw(0x0D, b"\0" * 4),
    "a group": raw(0x0B, 0x0C),
    "a wire type that does not exist": raw(0x0E, 0),
    "a field 0": raw(0x02, 0),
    "a text that is no UTF-8": field(3, resource("a.b", 0, NIL) + field(7, b"\xff")),
    "values nested deeply": field(18, resource("a.b", 3, b"\x91" * 100_000 + NIL, NIL)),
    "types nested deeply": field(
        18, resource("a.b", 3, b"\x92\xc5\x27\x10" + b"[" * 10_000 + NIL, NIL)
    ),
    "wrapped values nested deeply": field(
        18, resource("a.b", 3, b'\x92\xc4\x09"dynamic"' * 5_000 + NIL, NIL)
    ),
    "an array of 2^32": field(18, resource("a.b", 3, b"\xdd\xff\xff\xff\xff", NIL)),
    "a map of 2^32": field(18, resource("a.b", 3, b"\xdf\xff\xff\xff\xff", NIL)),
    "a key that is no text": field(18, resource("a.b", 3, b"\x81\x01\xc0", NIL)),
    "a key that can be none": field(18, resource("a.b", 3, b"\x81\x91\x80\xc0", NIL)),
    "a type without a value": field(18, resource("a.b", 3, b'\x91\xc4\x06"bool"', NIL)),
    "a type that is no JSON": field(18, resource("a.b", 3, b"\x92\xc4\x01{\xc0", NIL)),
    "a type that is none": field(18, resource("a.b", 3, b"\x92\xc4\x01{\x01", NIL)),
    "a value of another type": field(18, resource("a.b", 3, b'\x92\xc4\x06"bool"\x01', NIL)),
    "an attribute of no type": field(
        18, resource("a.b", 3, b'\x92\xc4\x0d["object",{}]\x81\xa1a\xc0', NIL)
    ),
    "an infinite number": field(18, resource("a.b", 3, b"\xcb\x7f\xf0" + b"\0" * 6, NIL)),
    "bytes after a value": field(18, resource("a.b", 3, b"\xc0\xc0", NIL)),
}


@pytest.mark.parametrize("what", MESSAGES)
def test_a_broken_message_is_refused(what: str, tmp_path: Path) -> None:
    plan = field(1, 3) + MESSAGES[what] + field(13, field(1, "local")) + field(14, "1.11.4")
    assert refused(tmp_path / "p", forge.zipped(forge.members(plan)))


def good() -> dict[str, bytes]:
    return forge.members(tfplan())


def duplicated() -> bytes:
    file = io.BytesIO(forge.zipped(good()))
    with pytest.warns(UserWarning), zipfile.ZipFile(file, "a") as zipped:
        zipped.writestr("tfplan", tfplan(field(17, 1)))
    return file.getvalue()


def missing(name: str) -> bytes:
    return forge.zipped({key: data for key, data in good().items() if key != name})


def patched(offset: int, value: bytes) -> bytes:
    """A zip with these bytes at an offset in the first entry of its directory."""
    content = bytearray(forge.zipped(good()))
    at = content.index(b"PK\x01\x02") + offset
    content[at : at + len(value)] = value
    return bytes(content)


def second_offset() -> bytes:
    content = forge.zipped(good())
    return struct.pack("<I", content.index(b"PK\x03\x04", 4))


def with_locator() -> bytes:
    content = forge.zipped(good())
    return content[:-22] + b"PK\x06\x07" + b"\0" * 16 + content[-22:]


def with_comment() -> bytes:
    content = forge.zipped(good())
    return content[:-2] + struct.pack("<H", 1) + b"c"


ZIPS: dict[str, Callable[[], bytes]] = {
    "two plans": duplicated,
    "no plan": lambda: missing("tfplan"),
    "no state": lambda: missing("tfstate"),
    "no lock file": lambda: missing(".terraform.lock.hcl"),
    "an encrypted member": lambda: patched(8, b"\x01\x00"),
    "a strongly encrypted member": lambda: patched(8, b"\x40\x00"),
    "a wrong checksum": lambda: patched(16, b"\x00\x00\x00\x00"),
    "a size that is too large": lambda: patched(24, struct.pack("<I", 1 << 16)),
    "the place of another member": lambda: patched(42, second_offset()),
    "an unknown compression": lambda: patched(10, b"\x63\x00"),
    "bzip2": lambda: forge.zipped(good(), zipfile.ZIP_BZIP2),
    "LZMA": lambda: forge.zipped(good(), zipfile.ZIP_LZMA),
    "a size that is too small": lambda: patched(24, struct.pack("<I", 3)),
    "a size beyond all limits": lambda: patched(24, struct.pack("<I", (256 << 20) + 1)),
    "an offset past the end": lambda: patched(42, struct.pack("<I", 1 << 30)),
    "zip64": with_locator,
    "a comment": with_comment,
    "something in front": lambda: b"#!/bin/sh\n" + forge.zipped(good()),
    "something behind": lambda: forge.zipped(good()) + b"x",
    "only an end": lambda: b"PK\x05\x06" + b"\0" * 18,
    "only a beginning": lambda: b"PK\x03\x04",
}


@pytest.mark.parametrize("what", ZIPS)
def test_a_broken_zip_is_refused(what: str, tmp_path: Path) -> None:
    assert refused(tmp_path / "p", ZIPS[what]())


def test_the_plain_zip_is_accepted(tmp_path: Path) -> None:
    """The zip that the tests above damage is itself accepted."""
    assert not refused(tmp_path / "p", forge.zipped(good()))
    assert not refused(tmp_path / "p", forge.zipped(good(), zipfile.ZIP_STORED))
