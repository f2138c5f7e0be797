"""A Python without builtin hashes, such as Red Hat's: all hashes come from OpenSSL."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import pytest

MISSING = ("_blake2", "_md5", "_sha1", "_sha2", "_sha256", "_sha3", "_sha512")
PROGRAM = f"""
import sys

sys.modules.update(dict.fromkeys({MISSING!r}))
import importlib
import pkgutil

import tfevents
from tfevents.readers.json.state import parse_state_file

for module in pkgutil.walk_packages(tfevents.__path__, "tfevents."):
    importlib.import_module(module.name)
state = parse_state_file(sys.stdin.buffer.read())
print(state.checksum, len(state.objects), len(state.outputs))
"""
RESOURCE = {
    "mode": "managed",
    "type": "null_resource",
    "name": "a",
    "instances": [{"attributes": {"id": "1"}}],
}
STATE = {
    "version": 4,
    "serial": 1,
    "lineage": "x",
    "resources": [RESOURCE],
    "outputs": {"a": {"value": [1, "b"], "type": ["tuple", ["number", "string"]]}},
}


@pytest.mark.exhaustive
def test_everything_works_without_builtin_hashes() -> None:
    """All modules can be imported, and a state's checksum is the same."""
    data = json.dumps(STATE).encode()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=data, capture_output=True, check=False
    )
    expected = f"{hashlib.sha256(data).hexdigest()} 1 1\n".encode()
    assert (done.returncode, done.stdout) == (0, expected), done.stderr.decode()
