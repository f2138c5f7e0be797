"""JSON documents of any size are counted, or refused in one line, in bounded memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.peak_memory import PRINT_PEAK

READ = """
import sys
from tfevents.errors import ProvisionerNotFound, UnreadableDocument
from tfevents.readers import counting
def show(*_):
    raise ProvisionerNotFound("none")
try:
    found = counting.count_file(sys.argv[1], show)
    print(found.resources.unchanged, found.outputs.planned + found.outputs.unchanged)
except UnreadableDocument as refusal:
    print(refusal)
"""
LIMIT = 160 << 10
"""KiB; the parser takes about 40 MB without any document."""

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


def noise_and_a_plan() -> Iterator[str]:
    yield "Initializing HCP Terraform...\n\n"
    yield from many_outputs()


def noise_without_end() -> Iterator[str]:
    yield from ("x" * (1 << 20) for _ in range(200))


def plans_in_an_array() -> Iterator[str]:
    yield "["
    yield from many_outputs()
    yield "]"


def shown_state_of_many_outputs() -> Iterator[str]:
    yield '{"format_version":"1.0","terraform_version":"1.11.4","values":{"outputs":{'
    yield from (f'"o{number}":{{"sensitive":false,"value":1}},' for number in range(900_000))
    yield '"last":{"sensitive":false,"value":1}},"root_module":{"resources":['
    yield '{"address":"a.b","mode":"managed"},{"address":"data.a.b","mode":"data"}],'
    yield '"child_modules":[{"resources":[{"address":"module.m.a.b","mode":"managed"}]}]}}}'


def encrypted_plan() -> Iterator[str]:
    yield '{"meta":{},"encrypted_data":"'
    yield from ("A" * (1 << 20) for _ in range(200))
    yield '","encryption_version":"v0"}'


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told in KiB on Linux")
@pytest.mark.parametrize(
    ("write", "told"),
    [
        (many_outputs, "0 400001"),
        (state_of_empty_instances, "it has more than 1000000 members or elements in one place"),
        (state_with_a_large_value, "1 1"),
        (plan_with_a_large_configuration, "1 0"),
        (noise_and_a_plan, "0 400001"),
        (noise_without_end, "this JSON is no plan and no state"),
        (plans_in_an_array, "there is more than one document"),
        (shown_state_of_many_outputs, "2 900001"),
        (encrypted_plan, "for which there is no terraform"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_large_document_takes_little_memory(
    write: Callable[[], Iterator[str]], told: str, encoding: str, tmp_path: Path
) -> None:
    """A large document is counted or refused, as expected, within LIMIT."""
    if encoding == "utf-16" and write is encrypted_plan:
        pytest.skip("terraform itself writes a plan file: no shell makes UTF-16 of it")
    path = tmp_path / "document.json"
    with path.open("w", encoding=encoding) as file:
        file.writelines(write())
    command = [sys.executable, "-c", READ + PRINT_PEAK, str(path)]
    said, peak = subprocess.run(
        command, capture_output=True, check=True, text=True, timeout=250
    ).stdout.splitlines()
    assert told in said
    assert int(peak) < LIMIT
