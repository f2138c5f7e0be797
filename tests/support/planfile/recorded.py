"""Random plans of real tools, kept for machines without the tool, and plans that once failed.

To record them again: `python tests/support/planfile/recorded.py [how many of each]`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2]))

from support.engines import TERRAFORM_VERSIONS, opentofu_1_6_2, terraform, terraform_version
from support.paths import ENGINES
from support.planfile.workshop import Made, Workshop

RECORDED = ENGINES / "random"
OPENTOFU = "opentofu-1.6.2"
FIRST = 10_000
"""The first seed, which the tests' own random plans do not reach."""


def find() -> list[Path]:
    """The recorded plan files; `show -json` of each is beside it."""
    return sorted(RECORDED.glob("*/*.tfplan"))


def keep(made: Made, tool: str, name: str) -> Path:
    """Stores a plan as a recording of its tool; returns its path."""
    path = RECORDED / tool / f"{name}.tfplan"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(made.saved, path)
    path.with_suffix(".json").write_bytes(made.shown)
    return path


def tools() -> dict[str, Path]:
    """All tools, by name; raises pytest's skip exception if one is not available."""
    found = {"terraform-1.11.4": terraform(), OPENTOFU: opentofu_1_6_2()}
    return found | {f"terraform-{v}": terraform_version(v) for v in TERRAFORM_VERSIONS}


def record(many: int) -> None:
    """Records this many plans of each tool."""
    for name, tool in tools().items():
        major, minor, _ = name.partition("-")[2].split(".")
        with tempfile.TemporaryDirectory() as home:
            workshop = Workshop(tool, (int(major), int(minor)), Path(home))
            seeds = range(FIRST, FIRST + 10 * many)
            plans = ((seed, made) for seed in seeds if (made := workshop.make(seed)))
            for (seed, made), _ in zip(plans, range(many), strict=False):
                sys.stderr.write(f"{keep(made, name, str(seed))}\n")


if __name__ == "__main__":
    record(int(sys.argv[1]) if sys.argv[1:] else 8)
