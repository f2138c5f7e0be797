"""Small plan files that would be large are refused in little memory."""

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


BOMBS = (large_field, large_value, many_fields, many_fields_within, many_members)


READ = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))
from tfevents.errors import UnreadableDocument
from tfevents.readers.planfile import reader
reader.read_mode(sys.argv[1])
try:
    reader.read_plan_file(sys.argv[1])
except UnreadableDocument as refusal:
    print(refusal)
"""


@pytest.mark.parametrize(
    "bomb", exhaustive_except(BOMBS, large_field, many_members), ids=lambda bomb: bomb.__name__
)
def test_a_bomb_is_refused_in_little_memory(bomb: Callable[[], bytes], tmp_path: Path) -> None:
    path = tmp_path / "p"
    path.write_bytes(bomb())
    done = subprocess.run(
        [sys.executable, "-c", READ, path], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.startswith("can't read the plan file "), done.stderr
