"""Everything below is exhaustive: `pytest -m exhaustive` runs it, and `.ci/run` does."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The hook sees the tests of other folders too."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.exhaustive)
