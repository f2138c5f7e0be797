"""Measures counting of plan JSON: its speed, and its peak memory, which should not grow with the
size."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from measure import Row, peak_of_children
from support.engines import clean_env

TFEVENTS = Path(sys.executable).with_name("tfevents")
FILLER = "x" * 3000


def measure(wanted: argparse.Namespace) -> Iterator[Row]:
    """Times `tfevents count --json` of plan JSON as terraform writes it: one line, 3.5 KB a
    resource."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        env = clean_env(root / "home")
        for megabytes in wanted.megabytes:
            file = root / "plan.json"
            _write(file, megabytes << 20)
            seconds, peak = peak_of_children([TFEVENTS, "count", "--json", file], env)
            yield Row(
                f"count {megabytes} MiB of plan JSON",
                ours=seconds,
                peak=peak,
                rate=f"{megabytes / seconds:.0f} MiB",
            )


def _write(file: Path, size: int) -> None:
    """Writes plan JSON of about `size` bytes: half are changes, half planned values, which a count
    ignores."""
    with file.open("w") as out:
        out.write('{"format_version":"1.2","terraform_version":"1.11.4","planned_values":')
        out.write('{"root_module":{"resources":[')
        _fill(out, size // 2, lambda n: {"address": f"a.b[{n}]", "values": {"input": FILLER}})
        out.write(']}},"resource_changes":[')
        _fill(out, size // 2, _change)
        out.write("]}")


def _fill(out: TextIO, size: int, element: Callable[[int], object]) -> None:
    written, number = 0, 0
    while written < size:
        written += out.write(("," if number else "") + json.dumps(element(number)))
        number += 1


def _change(number: int) -> dict[str, object]:
    return {
        "address": f"a.b[{number}]",
        "mode": "managed",
        "type": "a",
        "name": "b",
        "index": number,
        "provider_name": "registry.terraform.io/x/y",
        "change": {
            "actions": ["update"],
            "before": {"input": FILLER[:1500]},
            "after": {"input": FILLER[1500:]},
            "after_unknown": {},
            "before_sensitive": {},
            "after_sensitive": {},
        },
    }
