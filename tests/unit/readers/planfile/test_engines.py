"""The plan file gives the same as `show -json` in every recording of a newer engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.paths import ENGINES
from support.planfile.compare import assert_same

from tfevents.readers.json import state
from tfevents.readers.planfile import reader
from tfevents.terraform.arguments import Mode
from tfevents.terraform.state import State

RECORDINGS = sorted(ENGINES.glob("*/*/plan.tfplan"))
TOOLS = {"terraform-1.17-dev": "Terraform", "opentofu-1.13-dev": "OpenTofu"}
DESTROYS = ("destroy", "destroy_forget")
MODES = {**dict.fromkeys(DESTROYS, Mode.DESTROY), "refresh_only": Mode.REFRESH_ONLY}


def named(recording: Path) -> str:
    return f"{recording.parent.parent.name}-{recording.parent.name}"


def test_both_engines_are_recorded() -> None:
    assert {recording.parent.parent.name for recording in RECORDINGS} == set(TOOLS)


@pytest.mark.parametrize("recording", RECORDINGS, ids=named)
def test_both_readers_agree(recording: Path) -> None:
    file = assert_same(recording, recording.with_suffix(".json").read_bytes())
    assert file.tool == TOOLS[recording.parent.parent.name]
    assert file.mode is MODES.get(recording.parent.name, Mode.NORMAL)
    assert (file.workspace, file.backend_type) == ("default", "local")
    assert file.targeted is (recording.parent.name == "exclude")


@pytest.mark.parametrize("recording", RECORDINGS, ids=named)
def test_both_states_are_the_stored_one(recording: Path) -> None:
    """Both states in a plan file have the objects of the state before the plan, with moved objects
    at their new addresses; the recordings have no drift."""
    pulled = recording.with_name("state_before.json").read_bytes()
    stored = state.parse_state(pulled) if pulled.strip() else State()
    file = reader.read_plan_file(str(recording))
    moves = {change.previous_address: change.address for change in file.plan.changes}
    expected = {(moves.get(address, address), deposed) for address, deposed in stored.objects}
    for held in (file.read_prior_state(), file.read_previous_state()):
        assert state.parse_state_file(held).objects.keys() == expected
    assert state.parse_state_file(file.read_prior_state()).serial == (stored.serial or 0)
