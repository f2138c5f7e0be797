"""Compares the two readers of a plan: of its file, and of terraform's JSON."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from msgspec.structs import asdict, replace

from tfevents.readers.json import plan as planjson
from tfevents.readers.planfile import reader
from tfevents.readers.planfile.reader import PlanFile
from tfevents.terraform.counts import (
    count_listed_drift,
    count_outputs,
    count_resources,
    has_changes,
)
from tfevents.terraform.plan import Plan


def assert_same(saved: Path, shown: bytes) -> PlanFile:
    """Asserts that the plan file `saved` says the same as `shown`, terraform's JSON of it; returns
    the former."""
    file = reader.read_plan_file(str(saved))
    expected = planjson.parse_plan(shown, file.mode)
    assert facts(file.plan) == facts(expected)
    assert numbers(file.plan) == numbers(expected)
    assert reader.read_mode(str(saved)) is file.mode is file.plan.mode
    return file


def facts(plan: Plan) -> dict[str, Any]:
    """All that a plan says; without order, because terraform sorts its JSON."""
    drift = None if plan.drift is None else Counter(plan.drift)
    ordered = replace(plan, changes=(), drift=None)
    return {**asdict(ordered), "changes": Counter(plan.changes), "drift": drift}


def numbers(plan: Plan) -> tuple[Any, ...]:
    """All counts of a plan."""
    drift = None if plan.drift is None else count_listed_drift(plan.drift)
    return count_resources(plan), count_outputs(plan), drift, has_changes(plan)
