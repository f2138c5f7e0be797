"""docs/proof.md and README.md's table are generated from the records."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

PROOF = Path(__file__).parents[1] / "proof"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module `page`, imported as `python tests/proof` imports it."""
    monkeypatch.syspath_prepend(PROOF)
    return importlib.import_module("page")


def test_the_page_is_what_the_commands_wrote(page: ModuleType) -> None:
    """Both files are exactly what the generator makes of the current records."""
    assert page.PAGE.read_text() == page.render_page()
    text = page.README.read_text()
    assert page.TABLE.search(text), "README.md has no place for the table"
    assert page.render_readme(text) == text


def test_every_record_has_a_suite_that_makes_it_again(page: ModuleType) -> None:
    """Each record names its own suite and the command that repeats it."""
    suites = sys.modules["suites"].SUITES
    for path in (PROOF / "results").glob("*.json"):
        record = sys.modules["record"].read_record(path.stem)
        assert record is not None
        assert record.suite == path.stem
        assert path.stem in suites
        assert record.command.startswith(f"python tests/proof {path.stem}")
