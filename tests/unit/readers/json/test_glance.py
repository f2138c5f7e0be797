"""A small state file is read with another decoder than a large one, and is the same state."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from support.paths import DATA

from tfevents.errors import UnreadableDocument
from tfevents.readers.json import glance
from tfevents.readers.json import state as statejson
from tfevents.terraform.state import State

STATES = sorted(
    path
    for path in (*DATA.glob("plans/*/*state*"), *DATA.glob("engines/*/*/state_*.json"))
    if path.read_bytes().strip() and b'"lineage"' in path.read_bytes()
)


def without_values(state: State) -> object:
    """Digests of the two readers don't compare; all else does."""
    objects = {key: found.tainted for key, found in state.objects.items()}
    return (objects, *(getattr(state, name) for name in ("outputs", *HEAD)))


HEAD = ("terraform_version", "serial", "lineage", "checksum")


@pytest.mark.parametrize("path", STATES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_recorded_states_are_read_alike(path: Path) -> None:
    data = path.read_bytes()
    assert without_values(glance.look(data)) == without_values(statejson.parse_file(data))


def test_there_are_states() -> None:
    assert len(STATES) > 30


@pytest.mark.parametrize("seed", range(60))
def test_a_change_of_a_value_is_seen_by_both(seed: int) -> None:
    """Numbers by their text, objects in whatever order, and nothing else."""
    random = Random(seed)
    document = json.loads(random.choice(STATES).read_bytes())
    instances = [i for r in document["resources"] for i in r["instances"] if i.get("attributes")]
    before = json.dumps(document).encode()
    if instances:
        attributes = random.choice(instances)["attributes"]
        attributes[random.choice([*attributes])] = random.choice([0.5, "x", None, [1], {"a": 1}])
    after = json.dumps(document).encode()
    differences = [
        {key for key, found in read(before).objects.items() if read(after).objects[key] != found}
        for read in (glance.look, statejson.parse_file)
    ]
    assert differences[0] == differences[1]


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b"{}",
        b"4",
        b'{"version": 3, "serial": 1, "lineage": "x"}',
        b'{"version": 4, "serial": "1x", "lineage": "x"}',
        b'{"version": 4, "serial": 1}',
        b'{"version": 4, "serial": 1, "lineage": "x", "resources": [{}]}',
        b'{"version": 4, "serial": 1, "lineage": "x", "outputs": [1]}',
        b"[" * 5000,
        b"\xff",
    ],
)
def test_what_is_no_state_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableDocument):
        glance.look(data)
