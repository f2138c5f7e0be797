"""Makes plan files by hand that terraform would never write, or only after hours."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping

LOCK = b'# This file is maintained automatically by "terraform init".\n'
STATE = json.dumps({"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "l"})
BUILTIN = 'provider["terraform.io/builtin/terraform"]'


def varint(value: int) -> bytes:
    """A number as protobuf writes it."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes | str) -> bytes:
    """A field in protobuf: a number, or a byte string with its length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def change(action: int, *values: bytes) -> bytes:
    """A message Change."""
    return field(1, action) + b"".join(field(2, field(1, value)) for value in values)


def resource(address: str, action: int, *values: bytes) -> bytes:
    """A message ResourceInstanceChange."""
    return field(13, address) + field(8, BUILTIN) + field(9, change(action, *values))


def tfplan(*more: bytes, version: str = "1.11.4", backend: bytes = field(1, "local")) -> bytes:
    """A message Plan: format 3 with a backend."""
    return field(1, 3) + b"".join(more) + field(13, backend) + field(14, version)


def members(plan: bytes, lock: bytes = LOCK) -> dict[str, bytes]:
    """The contents of a plan file by name, in order."""
    state = STATE.encode()
    return {"tfplan": plan, "tfstate": state, "tfstate-prev": state, ".terraform.lock.hcl": lock}


def zipped(content: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return file.getvalue()
