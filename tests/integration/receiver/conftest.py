"""Fixtures for the tests of `tfevents receive`: one receiver for each module, as its start takes
longer than most tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import Tfevents
from support.engines import clean_env
from support.receiver import Receiver


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A receiver with the events of all tests of the module; each test uses workspaces of its
    own."""
    with Receiver(tmp_path_factory.mktemp("receiver")) as running:
        yield running


@pytest.fixture
def tfevents(tmp_path: Path) -> Tfevents:
    """The installed command in a clean environment."""
    home = tmp_path / "me" / "state"
    return Tfevents(home, {**clean_env(tmp_path / "me"), "TFEVENTS_HOME": str(home)}, tmp_path)
