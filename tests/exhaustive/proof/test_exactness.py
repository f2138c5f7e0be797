"""The suite `exactness` of tests/proof, with few runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from support.engines import terraform
from support.files import REQUIRED
from support.filesproject import file_object
from support.paths import TESTS
from support.planted import Fault, install
from support.runs.play import Trial
from support.runs.script import Script, Turn, read_script, write_script

MISCOUNTED = Fault(
    "terraform/changes.py",
    'yield from ["deleted"] * max(0, actions["Delete"] - apply.count_failed_deletions(address))',
    'yield from ["deleted"] * max(0, actions["Delete"] - actions["Create"])',
)
"""Does not count the deletion of a replaced object."""
APPLY = ("apply", "-auto-approve")


KEPT = file_object("kept")
SCRIPT = Script(
    "terraform",
    (
        Turn(APPLY, {"main.tf": REQUIRED + KEPT + file_object("a")}),
        Turn((*APPLY, "-no-color"), {"main.tf": REQUIRED + KEPT + file_object("a", kind='"k"')}),
        Turn(("plan",)),
    ),
)
"""Three commands, of which the second replaces an object."""
SMALL = (
    Turn(APPLY, {"main.tf": REQUIRED + file_object("a")}),
    Turn(APPLY, {"main.tf": REQUIRED + file_object("a", kind='"k"')}),
)
"""The smallest script with the miscount: an object is created and replaced."""


def test_a_planted_miscount_is_found_and_made_small(tmp_path: Path) -> None:
    """A planted miscount is found, and its script is shrunk to the two applies that replace one
    object."""
    program = install(tmp_path / "installed", MISCOUNTED).with_name("tf")
    trial = Trial("terraform", terraform(), tmp_path / "trial", program)
    for _ in range(5):
        found = trial.play_script(SCRIPT)
        if found[1].wrong:  # on a busy machine the count may be absent, which is not wrong
            break
    told = "\n".join(f"{one.kind}: {one.wrong} {one.absent}" for one in found)
    assert [bool(one.wrong) for one in found] == [False, True, False], told
    small = trial.shrink(found, 30)
    assert small.turns == SMALL
    assert "expected" in small.about
    write_script(tmp_path / "small.json", small)
    assert read_script(tmp_path / "small.json") == small


def test_random_runs_find_nothing_on_two_engines() -> None:
    """The suite's command finds nothing wrong in random runs of terraform and OpenTofu."""
    command = [sys.executable, TESTS / "proof", "exactness", "--json", "--runs=1", "--commands=3"]
    engines = ["--engine=terraform", "--engine=opentofu-1.6.2"]
    done = subprocess.run(
        [*command, *engines], capture_output=True, text=True, check=False, timeout=300
    )
    told = json.loads(done.stdout)
    assert told["wrong"] == []
    assert done.returncode == 0, done.stderr
    figures = told["figures"]
    assert (figures["runs"], figures["engines"], figures["commands"]) == (2, 2, 6)
    assert figures["counts compared"] > 0
