"""A few kills; more: `python tests/proof loss --help`."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.loss.episode import play_episode


@pytest.mark.parametrize("seed", [2])
def test_nothing_is_lost_whoever_is_killed(tmp_path: Path, seed: int) -> None:
    """Each run has one end, and each event arrives once, in order, as it was put."""
    found = play_episode(seed, tmp_path)
    assert found.wrong == []
    assert found.figures["kills"] >= 15
