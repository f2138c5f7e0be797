"""CONTRIBUTING.md and docs/architecture.md only name paths that exist."""

from __future__ import annotations

import re

import pytest
from support.paths import ROOT


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_every_path_is_there(name: str) -> None:
    """Each path of the repository in backquotes or in a link exists; <…> in it stands for any
    name."""
    text = (ROOT / name).read_text()
    tops = "|".join(re.escape(path.name) for path in ROOT.iterdir())
    paths = re.findall(rf"`((?:{tops})/[^` ]*)`|\]\(((?!http)[^)#]+)\)", text)
    assert paths
    for path in ("".join(pair) for pair in paths):
        assert list(ROOT.glob(re.sub(r"<\w+>", "*", path))), path
