"""The stage of tests/events, with the provider whose objects are files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from events.stage import Stage, settings
from rig import files
from rig.endpoint import Endpoint
from rig.engines import clean_env, terraform


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """With the terraform on PATH; `init` is still to be called."""
    home, project = tmp_path / "home", tmp_path / "project"
    project.mkdir()
    env = clean_env(home, terraform())
    (home / "terraform.rc").write_text(files.cli_config())
    with Endpoint() as endpoint:
        yield Stage(endpoint, project, {**env, **settings(endpoint, home)})
