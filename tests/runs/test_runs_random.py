"""A few random runs of each kind of terraform_data; `python tests/runs` for as many as you like."""

from __future__ import annotations

from pathlib import Path

import pytest
from rig.engines import terraform
from twinned import check


@pytest.mark.parametrize("seed", range(12))
def test_no_run_differs_and_no_count_is_wrong(seed: int, tmp_path: Path) -> None:
    """The engine alone and through `tf`, on twins: screen, code, state, and the event's numbers."""
    found = check(seed, terraform(), tmp_path)
    assert found.runs
    assert found.wrong == []
