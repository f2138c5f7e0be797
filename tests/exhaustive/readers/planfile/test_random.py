"""Both readers of a plan give the same result for random estates that real tools plan.

`TFEVENTS_TEST_PLANS` sets the number of plans (40); `TFEVENTS_TEST_SEED` selects a single seed. A
case that fails is shrunk and stored as a recording, which is tested from then on.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest
from support.engines import TERRAFORM_VERSIONS, opentofu_1_6_2, terraform, terraform_version
from support.planfile import recorded
from support.planfile.compare import assert_same
from support.planfile.estate import Estate
from support.planfile.recorded import OPENTOFU
from support.planfile.shrink import shrink
from support.planfile.workshop import Made, Workshop

from tfevents.errors import TfeventsError

PLANS = int(os.environ.get("TFEVENTS_TEST_PLANS", "40"))
SEED = os.environ.get("TFEVENTS_TEST_SEED")
BATCH = 10


def batches(plans: int) -> list[Sequence[int]]:
    """The seeds, in batches that can run in parallel."""
    if SEED is not None:
        return [[int(SEED)]]
    return [range(first, min(first + BATCH, plans)) for first in range(0, plans, BATCH)]


def compare(workshop: Workshop, seeds: Sequence[int], tool: str) -> None:
    """Compares both readers for the plan of each seed, and fails with the smallest case that
    differs; the tool must make a plan for at least 70 % of the seeds."""
    compared = 0
    for seed in seeds:
        if made := workshop.make(seed):
            compared += 1
            if not alike(made):
                recording = smallest(workshop, seed, tool)
                pytest.fail(f"TFEVENTS_TEST_SEED={seed}: its smallest case is {recording}")
    assert compared >= 0.7 * len(seeds)


def alike(made: Made | None) -> bool:
    """Whether both readers give the same result; True if there is no plan."""
    try:
        if made is not None:
            assert_same(made.saved, made.shown)
    except (AssertionError, TfeventsError):
        return False
    return True


def smallest(workshop: Workshop, seed: int, tool: str) -> Path:
    """The path of the recording of the smallest case that still fails."""
    numbers = count()

    def make(case: Estate) -> Made | None:
        return workshop.make_of(case, f"{seed}-{next(numbers)}")

    case = shrink(workshop.case(seed), lambda case: not alike(make(case)))
    made = make(case)
    assert made is not None
    return recorded.keep(made, tool, f"failed-{seed}")


@pytest.mark.parametrize("seeds", batches(PLANS), ids=str)
def test_plans_are_read_alike(seeds: Sequence[int], tmp_path: Path) -> None:
    """Both readers agree on random plans of the terraform on PATH."""
    compare(Workshop(terraform(), (1, 11), tmp_path), seeds, "terraform-1.11.4")


@pytest.mark.parametrize("seeds", batches(PLANS // 4), ids=str)
@pytest.mark.timeout(400)  # the first time, a version is downloaded
@pytest.mark.parametrize("version", [*TERRAFORM_VERSIONS, OPENTOFU])
def test_plans_of_other_versions_are_read_alike(
    version: str, seeds: Sequence[int], tmp_path: Path
) -> None:
    """Both readers agree on random plans of other versions and of OpenTofu."""
    tool = opentofu_1_6_2() if version == OPENTOFU else terraform_version(version)
    major, minor, _ = version.removeprefix("opentofu-").split(".")
    name = version if version == OPENTOFU else f"terraform-{version}"
    compare(Workshop(tool, (int(major), int(minor)), tmp_path), seeds, name)
