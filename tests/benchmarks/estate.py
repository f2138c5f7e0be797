"""A configuration of many terraform_data resources, and a state in which all of them exist."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

VARIABLE = 'variable "v" { default = 0 }\n'
BLOCK = """\
resource "terraform_data" "r%d" {
  count = %d
  input = "%s ${count.index}"
}
"""
IN_A_BLOCK = 100
"""Instances of one resource block; terraform's own time for `count` grows with its square."""
ALL_CHANGE = 1000
"""Up to this size all resources change with the variable, beyond it only the first block: terraform
takes an hour to apply 10,000 changes, because it writes the whole state for each."""


def configuration(size: int) -> str:
    """The text of a main.tf with `size` resources."""
    parts = (BLOCK % (n, many, _value(n, size)) for n, many in blocks(size))
    return VARIABLE + "".join(parts)


def blocks(size: int) -> Iterator[tuple[int, int]]:
    """Number and instance count of each resource block."""
    for start in range(0, size, IN_A_BLOCK):
        yield start // IN_A_BLOCK, min(IN_A_BLOCK, size - start)


def changing(size: int) -> int:
    """How many resources change with the variable."""
    return size if size <= ALL_CHANGE else IN_A_BLOCK


def state(size: int) -> str:
    """The text of a terraform.tfstate, as if the whole configuration had been applied."""
    resources = [
        {
            "mode": "managed",
            "type": "terraform_data",
            "name": f"r{n}",
            "provider": 'provider["terraform.io/builtin/terraform"]',
            "instances": [_instance(n, index) for index in range(many)],
        }
        for n, many in blocks(size)
    ]
    head = {"version": 4, "serial": 1, "lineage": str(uuid.uuid4()), "outputs": {}}
    return json.dumps({**head, "resources": resources}, indent=2)


def _value(block: int, size: int) -> str:
    varies = size <= ALL_CHANGE or block == 0
    return "${var.v}" if varies else "0"


def _instance(block: int, index: int) -> dict[str, Any]:
    value = {"value": f"0 {index}", "type": "string"}
    return {
        "index_key": index,
        "schema_version": 0,
        "attributes": {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{block}/{index}")),
            "input": value,
            "output": value,
            "triggers_replace": None,
        },
        "sensitive_attributes": [],
    }
