"""JSON of any shape is counted, or refused in a line, in memory that does not grow with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.peak_memory import PRINT_PEAK

READ = """
import sys
from tfevents.errors import UnreadableDocument
from tfevents.readers import counting
try:
    found = counting.count_file(sys.argv[1], None)
    print(found.resources.unchanged, found.outputs.planned + found.outputs.unchanged)
except UnreadableDocument as refusal:
    print(refusal)
"""
LIMIT = 160 << 10
"""KiB; what is parsed takes some 40 MB without any document."""

OUTPUT = '"o{}":{{"actions":["create"],"before":null,"after":"x","after_unknown":false}},'
STATE = '{"version":4,"serial":1,"lineage":"l","terraform_version":"1.11.4",'


def many_outputs() -> Iterator[str]:
    yield '{"format_version":"1.2","output_changes":{'
    yield from (OUTPUT.format(number) for number in range(400_000))
    yield '"last":{"actions":["no-op"],"before":1,"after":1}}}'


def state_of_empty_instances() -> Iterator[str]:
    yield STATE + '"resources":[{"mode":"managed","instances":['
    yield from ("{}," * 500_000 for _ in range(80))
    yield "{}]}]}"


def state_with_a_large_value() -> Iterator[str]:
    yield STATE + '"outputs":{"o":{"value":"'
    yield from ("\\\\" * 500_000 for _ in range(180))
    yield '"}},"resources":[{"mode":"managed","instances":[{},{"deposed":"a"}]}]}'


def plan_with_a_large_configuration() -> Iterator[str]:
    yield '{"format_version":"1.2","configuration":['
    yield from ("[]," * 500_000 for _ in range(80))
    yield '[]],"resource_changes":[{"mode":"managed","change":{"actions":["no-op"]}}]}'


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told in KiB on Linux")
@pytest.mark.parametrize(
    ("write", "told"),
    [
        (many_outputs, "0 400001"),
        (state_of_empty_instances, "it has more than 1000000 members or elements in one place"),
        (state_with_a_large_value, "1 1"),
        (plan_with_a_large_configuration, "1 0"),
    ],
)
def test_a_large_document_takes_little_memory(write: object, told: str, tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    assert callable(write)
    with path.open("w") as file:
        file.writelines(write())
    command = [sys.executable, "-c", READ + PRINT_PEAK, str(path)]
    said, peak = subprocess.run(
        command, capture_output=True, check=True, text=True, timeout=250
    ).stdout.splitlines()
    assert told in said
    assert int(peak) < LIMIT
