"""Small plan files that expand to large data are refused in little memory."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.exhaustive import exhaustive_except
from support.planfile import forge
from support.planfile.forge import field, resource, tfplan

NIL = b"\xc0"


def good() -> dict[str, bytes]:
    return forge.members(tfplan())


def large_field() -> bytes:
    return forge.zipped(forge.members(field(1, 3) + field(2, bytes(65 << 20))))


def large_value() -> bytes:
    value = b"\xdd" + struct.pack(">I", 6 << 20) + b"\x80" * (6 << 20)
    return forge.zipped(forge.members(tfplan(field(18, resource("a.b", 3, value, NIL)))))


def many_fields() -> bytes:
    return forge.zipped(forge.members(field(1, 3) + field(5, "") * 2_000_000))


def many_fields_within() -> bytes:
    return forge.zipped(forge.members(field(1, 3) + field(3, field(11, "") * 20_000_000)))


def many_members() -> bytes:
    return forge.zipped(good() | {f"tfconfig/{number:0200}": b"" for number in range(20_000)})


def state(text: bytes) -> bytes:
    head = b'{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"l","resources":['
    return forge.zipped(good() | {"tfstate": head + text + b"]}"})


def many_resources() -> bytes:
    return state(b"{}," * 60_000_000 + b"{}")


def many_instances() -> bytes:
    return state(b'{"mode":"managed","instances":[' + b"{}, " * 45_000_000 + b"{}]}")


def many_parts() -> bytes:
    return state(b'{"mode":"managed","each":[' + b"[]," * 60_000_000 + b"[]]}")


READ_ANYWAY = {many_parts}
BOMBS = (
    large_field,
    large_value,
    many_fields,
    many_fields_within,
    many_members,
    many_resources,
    many_instances,
    many_parts,
)


READ = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))
from tfevents.errors import UnreadableDocument
from tfevents.readers.planfile import reader
reader.read_mode(sys.argv[1])
try:
    print(reader.read_plan_file(sys.argv[1]).plan.managed, "objects")
except UnreadableDocument as refusal:
    print(refusal)
"""


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "bomb", exhaustive_except(BOMBS, large_field, many_members), ids=lambda bomb: bomb.__name__
)
def test_a_bomb_is_refused_in_little_memory(bomb: Callable[[], bytes], tmp_path: Path) -> None:
    """Such a plan file is refused, or read as empty, within an address space of 300 MiB."""
    path = tmp_path / "p"
    path.write_bytes(bomb())
    done = subprocess.run(
        [sys.executable, "-c", READ, path], capture_output=True, text=True, timeout=240, check=False
    )
    told = "0 objects" if bomb in READ_ANYWAY else "can't read the plan file "
    assert done.stdout.startswith(told), done.stderr
