"""Fixtures: `tfevents` with a home directory of its own, without settings and without terraform on
PATH; and a server for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import Tfevents
from support.endpoint import Endpoint
from support.engines import clean_env


@pytest.fixture
def tfevents(tmp_path: Path) -> Tfevents:
    """The installed command in a clean environment."""
    home, cwd = tmp_path / "me" / "state", tmp_path / "work"
    cwd.mkdir()
    env = clean_env(tmp_path / "me")
    return Tfevents(home, {**env, "TFEVENTS_HOME": str(home)}, cwd)


@pytest.fixture
def endpoint(tfevents: Tfevents) -> Iterator[Endpoint]:
    """A server of the test's own; `tfevents` is configured to report to it."""
    with Endpoint() as endpoint:
        tfevents.env |= {
            "TFEVENTS_URL": endpoint.url,
            "TFEVENTS_API_KEY": "pat.acc.token.secret",
            "TFEVENTS_ORG": "default",
            "TFEVENTS_PROJECT": "infra",
            "TFEVENTS_WORKSPACE": "prod",
        }
        yield endpoint
