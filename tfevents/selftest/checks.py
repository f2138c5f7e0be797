"""All the checks, in the order in which they run."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tfevents.selftest.check import Check
from tfevents.selftest.groups import delivery, exactness, interruptions, subcommands, surroundings
from tfevents.selftest.scratch import Scratch

GROUPS = {
    "commands": subcommands,
    "terminal": surroundings,
    "signals": interruptions,
    "counts": exactness,
    "delivery": delivery,
}


def list_checks(scratch: Scratch, only: Collection[str] = ()) -> Iterator[Check]:
    """The checks. Each must be run before the next is taken, as later ones build on its project.

    `only`: names of groups; empty for all groups.
    """
    for name, group in GROUPS.items():
        if not only or name in only:
            yield from group.list_checks(scratch)


@contextmanager
def make_scratch(binary: Path, tf: Path, env: Mapping[str, str]) -> Iterator[Scratch]:
    """A new scratch directory, removed when the block ends."""
    with tempfile.TemporaryDirectory(prefix="tfevents-selftest-") as root:
        yield Scratch(Path(root).resolve(), binary, tf, env)
