"""Which directories of a checkout terraform is run in: those that hold a backend or a state."""

from __future__ import annotations

import os
from collections.abc import Iterator

from tfevents.readers.hcl.inventory import read_inventory

CONFIGURATION = (".tf", ".tofu", ".tf.json", ".tofu.json")
STATE = frozenset({"terraform.tfstate", os.path.join(".terraform", "terraform.tfstate")})
UNIT = "terragrunt.hcl"
MOST_DIRECTORIES = 20_000
"""Of a checkout; what lies behind them is not looked at."""


def find_root_modules(root: str) -> list[str]:
    """Relative to `root`, sorted; "." is itself. Hidden directories are not looked into."""
    found = (place for place, names in _walk(root) if _is_root_module(place, names))
    return sorted(os.path.relpath(place, root) for place in found)


def _walk(root: str) -> Iterator[tuple[str, list[str]]]:
    """Each directory with the names of its files."""
    for number, (place, directories, names) in enumerate(os.walk(root)):
        if number == MOST_DIRECTORIES:
            return
        directories[:] = sorted(name for name in directories if not name.startswith("."))
        yield place, names


def _is_root_module(place: str, names: list[str]) -> bool:
    """A Terragrunt unit has its backend elsewhere; the file of a whole tree has no `terraform`
    block with a source, and stands above others: it is offered, and can be left out."""
    if UNIT in names:
        return True
    if not any(name.endswith(CONFIGURATION) for name in names):
        return False
    held = any(os.path.isfile(os.path.join(place, name)) for name in STATE)
    return held or read_inventory(place).backend is not None
