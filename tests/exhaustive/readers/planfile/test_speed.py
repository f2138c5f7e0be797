"""A plan that terraform needs minutes to show is read in a few seconds, in little memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from support.planfile import forge
from support.planfile.forge import field, resource

OBJECTS = 50_000
LIMIT_SECONDS, LIMIT_MEGABYTES = 8, 120
"""About two seconds and 35 MB are needed on an idle machine; the limits are higher because other
tests run at the same time."""

READ = """
import json, re, sys, time
begin = time.process_time()
from tfevents.readers.planfile import reader
from tfevents.terraform import counts
plan = reader.read_plan_file(sys.argv[1]).plan
status = open("/proc/self/status").read()
print(json.dumps({
    "counts": counts.count_resources(plan).as_json(),
    "seconds": time.process_time() - begin,
    "megabytes": int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) / 1024,
}))
"""


def text(random: Random) -> bytes:
    """A msgpack value with its type: a string of 200 bytes."""
    return b'\x92\xc4\x08"string"\xd9\xc8' + random.randbytes(100).hex().encode()


def value(random: Random) -> bytes:
    """A msgpack object of a terraform_data whose strings do not compress."""
    head = b"\x84\xa2id\xd9\x24" + random.randbytes(18).hex().encode()
    given = b"\xa5input" + text(random) + b"\xa6output" + text(random)
    return head + given + b"\xb0triggers_replace\xc0"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told in /proc only")
def test_fifty_thousand_objects_are_counted_at_once(tmp_path: Path) -> None:
    """A plan with 50,000 objects is counted within the limits."""
    random = Random(1)
    entries = []
    for number in range(OBJECTS):
        packed = value(random)
        change = (3, packed, packed) if number % 10 == 0 else (0, packed)
        address = f'module.network["eu-{number % 7}"].terraform_data.object[{number}]'
        entries.append(field(3, resource(address, *change)))
    path = tmp_path / "p.tfplan"
    path.write_bytes(forge.zipped(forge.members(forge.tfplan(*entries))))
    done = subprocess.run(
        [sys.executable, "-c", READ, path], capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout)
    assert said["counts"]["changed"] == OBJECTS / 10
    assert said["counts"]["unchanged"] == OBJECTS - OBJECTS / 10
    assert said["seconds"] < LIMIT_SECONDS
    assert said["megabytes"] < LIMIT_MEGABYTES
