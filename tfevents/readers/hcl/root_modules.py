"""Finds the root modules of a checkout: directories with a backend, state or Terragrunt unit."""

from __future__ import annotations

import os
from collections.abc import Iterator

from tfevents.readers.hcl.inventory import find_backend

CONFIGURATION = (".tf", ".tofu", ".tf.json", ".tofu.json")
STATE = frozenset({"terraform.tfstate", os.path.join(".terraform", "terraform.tfstate")})
UNIT = "terragrunt.hcl"
MOST_DIRECTORIES = 20_000
"""The most directories of a checkout that are visited; the rest is ignored."""


def find_root_modules(root: str) -> list[str]:
    """The root modules, sorted and relative to `root` (`"."`); hidden directories are skipped."""
    found = (place for place, names in _walk(root) if _is_root_module(place, names))
    return sorted(os.path.relpath(place, root) for place in found)


def _walk(root: str) -> Iterator[tuple[str, list[str]]]:
    """The path of each directory and the names of its files."""
    for number, (place, directories, names) in enumerate(os.walk(root)):
        if number == MOST_DIRECTORIES:
            return
        directories[:] = sorted(name for name in directories if not name.startswith("."))
        yield place, names


def _is_root_module(place: str, names: list[str]) -> bool:
    """Whether a directory is a root module: it has a backend, a local state or a terragrunt.hcl.

    A Terragrunt unit's backend is configured elsewhere. The terragrunt.hcl of a whole tree is no
    unit, but is not told apart: the user can leave its directory out.
    """
    if UNIT in names:
        return True
    if not any(name.endswith(CONFIGURATION) for name in names):
        return False
    held = any(os.path.isfile(os.path.join(place, name)) for name in STATE)
    return held or find_backend(place) is not None
