"""Whatever terraform's own files in a working directory contain, they are read without an error."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from support.fuzzing import Examples
from support.spoiled_documents import reshape_json, spoil_bytes

from tfevents.terraform.state import NEVER_WRITTEN
from tfevents.terraform.workdir import NO_STATE, WorkingDirectory

BACKEND = {
    "version": 3,
    "serial": 1,
    "lineage": "a",
    "backend": {
        "type": "local",
        "config": {"path": "other.tfstate", "workspace_dir": "spaces"},
        "hash": 1,
    },
}
STATE = '{"version": 4, "serial": 3, "lineage": "a-b", "outputs": {}, "resources": []}'


def spoil(text: str, dice: random.Random) -> bytes:
    """The text with random changes, or JSON of another shape."""
    return reshape_json(text, dice) if dice.random() < 0.6 else spoil_bytes(text.encode(), dice)


@pytest.mark.fuzz("working directories", 100)
def test_a_spoiled_directory_says_what_it_can(tmp_path: Path, examples: Examples) -> None:
    """Backend, workspace and state identity have the right types, or are None, whatever the files
    contain."""
    data = tmp_path / ".terraform"
    data.mkdir()
    for dice in examples:
        (data / "terraform.tfstate").write_bytes(spoil(json.dumps(BACKEND), dice))
        (data / "environment").write_bytes(dice.choice((b"", b"default", dice.randbytes(9))))
        (tmp_path / "other.tfstate").write_bytes(spoil(STATE, dice))
        place = WorkingDirectory(str(tmp_path), {})
        assert isinstance(place.tf_workspace, str)
        assert {place.in_cloud, place.has_backend} <= {True, False}
        serial, lineage = place.read_state_identity() or NEVER_WRITTEN
        assert serial >= 0
        assert isinstance(lineage, str)
        place.find_state((3, "a-b"))
        place.read_written_state(0)


def test_the_identity_without_a_state_file(tmp_path: Path) -> None:
    """Without a state file, and with an empty one, the identity is that of a state that was never
    written."""
    place = WorkingDirectory(str(tmp_path), {})
    assert place.read_state_identity() == NO_STATE == NEVER_WRITTEN
    (tmp_path / "terraform.tfstate").touch()
    assert place.read_state_identity() == NEVER_WRITTEN
