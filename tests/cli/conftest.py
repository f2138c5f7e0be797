"""One `tfevents` per test: its own home, nothing configured, no terraform on PATH."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.command import Tfevents
from rig.engines import clean_env


@pytest.fixture
def tfevents(tmp_path: Path) -> Tfevents:
    """The installed command in a clean environment."""
    home, cwd = tmp_path / "me" / "state", tmp_path / "work"
    cwd.mkdir()
    env = clean_env(tmp_path / "me")
    temporary = tmp_path / "me" / "tmp"
    temporary.mkdir()
    return Tfevents(home, {**env, "TFEVENTS_HOME": str(home), "TMPDIR": str(temporary)}, cwd)
