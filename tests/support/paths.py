"""Paths in a checkout of the repository."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
DATA = TESTS / "data"
PLANS = DATA / "plans"
"""Plans and states of terraform 1.11.4 by scenario, with the right counts beside them."""
ENGINES = DATA / "engines"
"""Recordings of engines that no package provides yet."""
HOOKS = ROOT / "hooks"
README = (ROOT / "README.md").read_text()
