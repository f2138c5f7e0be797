"""Plan JSON of any size is counted as the whole of it would be, and hardly held."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tfevents import counting, jsonstream, planjson
from tfevents.errors import UnreadableDocument
from tfevents.jsonstream import Cursor

PLANS = sorted(Path(__file__).parents[1].glob("plans/*/*.json"))
SIZES = [1, 7, 300, 1 << 18]


def reader(data: bytes, seed: int = 0) -> Callable[[int], bytes]:
    """As a pipe gives it: less than was asked for, now and then."""
    chance, file = random.Random(seed), io.BytesIO(data)
    return lambda size: file.read(chance.randrange(1, size + 1))


@pytest.fixture(params=SIZES, ids=str)
def piece(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The bytes looked at in one go, and the least of them."""
    size: int = request.param
    monkeypatch.setattr(jsonstream, "PIECE", size)
    monkeypatch.setattr(jsonstream, "LEAST", min(size, 512))
    return size


def is_plan(path: Path) -> bool:
    return b'"planned_values"' in path.read_bytes() or b'"resource_changes"' in path.read_bytes()


@pytest.mark.parametrize("path", [*filter(is_plan, PLANS)], ids=lambda path: path.parent.name)
@pytest.mark.parametrize("indent", [None, 1])
def test_a_plan_is_the_same_as_a_whole_and_in_pieces(
    path: Path, indent: int | None, piece: int
) -> None:
    """Every recorded plan, as terraform writes it and as people reformat it."""
    text = path.read_bytes()
    if indent:
        text = json.dumps(json.loads(text), indent=indent, ensure_ascii=False).encode()
    whole = planjson.parse(text)
    read = planjson.collect(reader(text, piece))
    assert counting.of_plan(read) == counting.of_plan(whole)
    assert (read.changes, read.drift, read.outputs) == (whole.changes, whole.drift, whole.outputs)


def value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(8 if depth < 4 else 5)
    if kind == 0:
        return chance.choice([None, True, False, 0, -1.5e10, 12345678901234567890])
    if kind < 5:
        letters = 'ab"\\{}[],:\n é\u2028'
        return "".join(chance.choice(letters) for _ in range(chance.randrange(30)))
    if kind == 5:
        return [value(chance, depth + 1) for _ in range(chance.randrange(5))]
    names = (str(n) + chance.choice(["", '"', "\\"]) for n in range(chance.randrange(5)))
    return {name: value(chance, depth + 1) for name in names}


def test_what_is_cut_out_is_whole(piece: int) -> None:
    """Quotes, backslashes and brackets in strings, at every edge of a piece."""
    for seed in range(300):
        chance = random.Random(seed)
        document = {"a": value(chance), "b": [value(chance) for _ in range(5)], "c": value(chance)}
        text = json.dumps(document, indent=chance.choice([None, 1]), ensure_ascii=seed % 2 == 0)
        cursor, taken = Cursor(reader(text.encode(), seed)), {}
        for name in cursor.members():
            if chance.random() < 0.5:
                taken[name] = json.loads(cursor.take())
            else:
                cursor.skip()
        cursor.end()
        assert taken == {name: document[name] for name in taken}


def test_every_document_that_ends_too_early_is_one(piece: int) -> None:
    """Nothing is counted of half a plan, and nothing runs for ever."""
    text = b'{"format_version":"1.2","planned_values":{"a":["\\\\\\"","b"]},"resource_changes":[]}'
    assert planjson.collect(reader(text)).changes == ()
    for end in range(len(text)):
        with pytest.raises(UnreadableDocument):
            planjson.collect(reader(text[:end]))


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"format_version":"1.2"} x',
        '{"format_version":"1.2","resource_changes":[{"change":1}]}',
        '{"format_version":"1.2","resource_changes":[1 2]}',
        '{"format_version":"1.2" "a":1}',
        '{"format_version":"1.2",}',
        '{"format_version":"9.0"}',
        '{"format_version":"1.2","errored":maybe}',
    ],
)
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(UnreadableDocument):
        planjson.collect(reader(text.encode()))


def test_a_string_of_backslashes_is_a_string(piece: int) -> None:
    """Pairs of them, cut anywhere."""
    text = b'{"format_version":"1.2","x":["' + b"\\\\" * 3000 + b'"],"y":{"z":"\\\\"}}'
    assert planjson.collect(reader(text)).format_version == "1.2"


COUNT = """
import json, re, sys
from tfevents import counting
read = sys.stdin.buffer.read if sys.argv[1] == "-" else None
found = counting.count_stream(read, "-", ()) if read else counting.count_file(sys.argv[1], ())
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]
print(json.dumps([found.as_json(), int(peak)]))
"""


def write_large(path: Path, megabytes: int) -> int:
    """A plan as terraform orders it; gives how many resources it creates."""
    element = {
        "address": "aws_x.y[0]",
        "mode": "managed",
        "change": {"actions": ["create"], "after": {"text": 'x"{[' * 500, "list": [{}, {"a": []}]}},
    }
    text = json.dumps(element, separators=(",", ":")).encode()
    number = (megabytes << 20) // (2 * len(text))
    with path.open("wb") as file:
        file.write(b'{"format_version":"1.2","planned_values":{"root_module":{"resources":[')
        file.write(b",".join([text] * number) + b']}},"resource_changes":[')
        file.write(b",".join([text] * number) + b'],"applyable":true,"errored":false}')
    return number


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told in /proc only")
@pytest.mark.parametrize("way", ["file", "pipe"])
def test_ten_times_the_plan_takes_the_same_memory(tmp_path: Path, way: str) -> None:
    """From 12 MB to 120 MB, which would be 250 MB as a whole."""
    peaks = []
    for megabytes in (12, 120):
        path = tmp_path / f"{megabytes}.json"
        number = write_large(path, megabytes)
        with path.open("rb") as file:
            argument = "-" if way == "pipe" else str(path)
            command = [sys.executable, "-c", COUNT, argument]
            done = subprocess.run(command, stdin=file, capture_output=True, check=True)
        found, peak = json.loads(done.stdout)
        assert found["resource_counts"]["added"] == number
        assert found["has_changes"] is True
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 8192
