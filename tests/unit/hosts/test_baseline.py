"""The baseline that `before` stores in the journal is what `after` reads."""

from __future__ import annotations

import json

import pytest

from tfevents.events.model import Numbers
from tfevents.hosts.baseline import Baseline, parse_baseline
from tfevents.terraform.arguments import Mode
from tfevents.terraform.counts import Counts
from tfevents.terraform.state import NEVER_WRITTEN

BASELINES = [
    Baseline(plans=(None, None), execution=""),
    Baseline(
        state_identity=(7, "lineage"),
        numbers=Numbers(Counts(added=1), Counts(), Counts(changed=2)),
        mode=Mode.REFRESH_ONLY,
        plans=((1, 2, 3), None),
        execution="github:1:2",
    ),
    Baseline(
        state_identity=NEVER_WRITTEN,
        numbers=Numbers(None, Counts(deleted=1)),
        plans=(None, (1, 2, 3)),
    ),
]


@pytest.mark.parametrize("baseline", BASELINES)
def test_it_comes_back_as_it_was(baseline: Baseline) -> None:
    """A baseline is unchanged after JSON; counts that are None do not become zeros."""
    assert parse_baseline(json.loads(json.dumps(baseline.as_json()))) == baseline


@pytest.mark.parametrize("base", [None, {}, {"metadata": {}, "destination": {}}])
def test_a_run_without_before_has_none(base: dict[str, object] | None) -> None:
    """A run without a stored baseline gets an empty one: a run of `tf`, or one that only `after`
    reported."""
    assert parse_baseline(base) == Baseline()


def test_a_state_that_was_never_written() -> None:
    """A baseline that an earlier version stored without serial and lineage has the identity of a
    state that was never written."""
    assert parse_baseline({"state": [None, None]}) == Baseline(state_identity=NEVER_WRITTEN)
