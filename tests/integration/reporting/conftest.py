"""The stage that every test here plays on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rig.endpoint import Endpoint
from rig.engines import clean_env, terraform
from stage import Stage, settings


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as running:
        yield running


@pytest.fixture
def stage(endpoint: Endpoint, tmp_path: Path) -> Stage:
    """With the terraform on PATH."""
    home, project = tmp_path / "home", tmp_path / "project"
    project.mkdir()
    return Stage(endpoint, project, {**clean_env(home, terraform()), **settings(endpoint, home)})
