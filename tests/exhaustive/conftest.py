"""Marks all tests of this folder as exhaustive: `pytest -m exhaustive` runs them, and so does
`.ci/run`."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of this folder only, because the hook sees those of other folders too."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.exhaustive)
