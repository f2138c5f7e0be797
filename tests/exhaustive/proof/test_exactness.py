"""The suite `exactness`, with few runs."""

from __future__ import annotations

import json
import subprocess
import sys

from support.paths import TESTS


def test_random_runs_find_nothing_on_two_engines() -> None:
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
