"""Recorded plan files of many versions are counted on a machine without terraform."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.exhaustive import exhaustive_except
from support.planfile import recorded

PLANS = recorded.find()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "path",
    exhaustive_except(PLANS[::8], *PLANS[::24]),
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_a_plan_is_counted_where_there_is_no_tool(path: Path, tmp_path: Path) -> None:
    """`tfevents count` gives the same counts for a plan file as for its JSON, without terraform on
    PATH."""
    program = Path(sys.executable).with_name("tfevents")
    env = {"PATH": str(tmp_path), "HOME": str(tmp_path), "LC_ALL": os.environ.get("LC_ALL", "C")}
    said = [
        subprocess.run([program, "count", "--json", file], env=env, capture_output=True, check=True)
        for file in (path, path.with_suffix(".json"))
    ]
    assert said[0].stdout == said[1].stdout
