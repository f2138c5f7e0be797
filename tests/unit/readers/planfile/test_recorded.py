"""Both readers agree on recorded random plans of many versions, which need no tool to run."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from support.planfile import recorded
from support.planfile.compare import assert_same
from support.planfile.estate import Estate, estate
from support.planfile.shrink import shrink, smaller

PLANS = recorded.find()


def test_there_are_some_of_every_version() -> None:
    assert len({path.parent.name for path in PLANS}) >= 9


@pytest.mark.parametrize("path", PLANS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_both_readers_agree(path: Path) -> None:
    tool, _, version = path.parent.name.partition("-")
    file = assert_same(path, path.with_suffix(".json").read_bytes())
    assert (file.tool.lower(), file.version) == (tool, version)


def resources(case: Estate) -> int:
    """The number of resources before and after."""
    found = (case.before, case.after)
    return sum(len(configuration.resources) for configuration in found if configuration)


@pytest.mark.parametrize("seed", range(40))
def test_what_does_not_matter_is_taken_away(seed: int) -> None:
    """A case that fails because of a repeated resource is shrunk to this one resource."""

    def fails(case: Estate) -> bool:
        return any(resource.repeated for resource in case.after.resources)

    case = estate(seed, (1, 11))
    least = shrink(case, fails)
    if fails(case):
        assert resources(least) == 1
        assert not (least.before or least.edits or least.flags or least.after.outputs)
        assert not any(map(fails, smaller(least)))
    else:
        assert least == case


def test_a_case_that_fails_by_chance_comes_to_an_end() -> None:
    chance = Random(1)
    shrink(estate(7, (1, 11)), lambda _: chance.random() < 0.5)
