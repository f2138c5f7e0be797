"""Hooks in random, invalid environments: a run is recorded, or one line says why not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.fuzzing import Examples
from support.hosts.field import Field, field, without_key
from support.spoiled_hosts import SECRET, make_environment, make_paths

from tfevents.events.body import LARGEST_EVENT
from tfevents.terraform.arguments import REPORTED

LONGEST_LINE = 16 << 10
"""Characters; a path alone may have four thousand."""


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Iterator[Field]:
    """A field without an API key."""
    with field(tmp_path) as place:
        yield without_key(place)


def read_cells(home: Path) -> list[str]:
    """Every value in the journal's tables of runs and events, as text."""
    with closing(sqlite3.connect(home / "journal.db")) as db:
        rows = [*db.execute("select * from runs"), *db.execute("select * from events")]
    return [str(cell) for row in rows for cell in row]


@pytest.mark.exhaustive
@pytest.mark.fuzz("hooks", 30)
def test_a_hook_of_a_spoiled_environment_is_told_or_says_why(
    place: Field, examples: Examples
) -> None:
    """Each hook exits with 0 and writes at most one line; the journal is readable and has no
    secret."""
    paths = make_paths(place.directory)
    for dice in examples:
        env = make_environment(dice, paths)
        command = dice.choice(sorted(REPORTED))
        for moment in ("before", dice.choice(("after", "error"))):
            done = place.run(["tfevents", "hook", moment, command], **env)
            assert (done.returncode, done.stdout) == (0, ""), (env, done)
            assert "a bug" not in done.stderr, (env, done)
            assert len(done.stderr.splitlines()) <= 1, (env, done)
            assert len(done.stderr) <= LONGEST_LINE, (env, done)
            assert SECRET not in done.stderr
    assert place.events
    cells = read_cells(Path(place.env["TFEVENTS_HOME"]))
    assert max(map(len, cells)) <= LARGEST_EVENT
    assert not [cell for cell in cells if SECRET in cell]
