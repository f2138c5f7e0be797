"""Whatever is planned, both readers say the same: random estates, planned by real tools.

`TFEVENTS_TEST_PLANS` sets how many (40); `TFEVENTS_TEST_SEED` makes one seed only.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from planfile.compare import assert_same
from planfile.workshop import Workshop
from rig.engines import TERRAFORM_VERSIONS, opentofu_1_6_2, terraform, terraform_version

PLANS = int(os.environ.get("TFEVENTS_TEST_PLANS", "40"))
SEED = os.environ.get("TFEVENTS_TEST_SEED")
BATCH = 10
OPENTOFU = "opentofu-1.6.2"


def batches(plans: int) -> list[Sequence[int]]:
    """Seeds, in batches that can be made in parallel."""
    if SEED is not None:
        return [[int(SEED)]]
    return [range(first, min(first + BATCH, plans)) for first in range(0, plans, BATCH)]


def compare(workshop: Workshop, seeds: Sequence[int]) -> None:
    """The plan of each seed, read both ways; of a few a tool makes no plan at all."""
    compared = 0
    for seed in seeds:
        if made := workshop.make(seed):
            print(f"this case alone: TFEVENTS_TEST_SEED={seed}, in {made.saved.parent}")
            assert_same(made.saved, made.shown)
            compared += 1
    assert compared >= 0.7 * len(seeds)


@pytest.mark.parametrize("seeds", batches(PLANS), ids=str)
def test_plans_are_read_alike(seeds: Sequence[int], tmp_path: Path) -> None:
    compare(Workshop(terraform(), (1, 11), tmp_path), seeds)


@pytest.mark.parametrize("seeds", batches(PLANS // 4), ids=str)
@pytest.mark.timeout(400)  # the first time, a version is downloaded
@pytest.mark.parametrize("version", [*TERRAFORM_VERSIONS, OPENTOFU])
def test_plans_of_other_versions_are_read_alike(
    version: str, seeds: Sequence[int], tmp_path: Path
) -> None:
    tool = opentofu_1_6_2() if version == OPENTOFU else terraform_version(version)
    major, minor, _ = version.removeprefix("opentofu-").split(".")
    compare(Workshop(tool, (int(major), int(minor)), tmp_path), seeds)
