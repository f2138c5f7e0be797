"""One seed's commands on one engine; what was right is cleared away."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from support.runs.chain import Chain, Found
from support.runs.world import Dialect


@cache
def ask_dialect(engine: Path) -> Dialect:
    """What the engine calls itself."""
    said = subprocess.run(
        [engine, "version"],
        capture_output=True,
        check=True,
        text=True,
        env={"CHECKPOINT_DISABLE": "1", "HOME": "/nowhere"},
    )
    found = re.search(r"(Terraform|OpenTofu) v(\d+)\.(\d+)", said.stdout)
    assert found, said.stdout
    return Dialect(found[1], (int(found[2]), int(found[3])))


def play_seed(engine: Path, seed: int, place: Path, commands: int) -> list[Found]:
    """What was found of each command; directories of wrong ones stay under `place`."""
    directory = place / f"seed{seed}"
    found = list(Chain(engine, ask_dialect(engine), seed, directory).run(commands))
    for one in found:
        if not one.wrong:
            shutil.rmtree(directory / f"step{one.number}", ignore_errors=True)
    if not any(one.wrong for one in found):
        shutil.rmtree(directory, ignore_errors=True)
    return found
