"""Every recorded plan has the counts that were noted when it was recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest
from support.paths import DATA, ENGINES, PLANS

from tfevents.readers.json import plan as planjson
from tfevents.readers.planfile import reader as planfile
from tfevents.terraform.arguments import Mode
from tfevents.terraform.counts import (
    Counts,
    count_listed_drift,
    count_outputs,
    count_resources,
    has_changes,
)
from tfevents.terraform.plan import Plan


class Expected(NamedTuple):
    """The counts from notes.md ("derived counts", "output_changes", "rc="), exit_codes.json and
    main.tf.

    `resources` and `outputs` as "a1 c1 d1 i1 r1 u1": added, changed, deleted, imported, removed
    (forgotten) and unchanged. `drift` in the same form, without differences of empty values; None
    if the plan has no `resource_drift`.
    """

    resources: str
    outputs: str = ""
    drift: str | None = None
    exit_code: int = 2
    mode: Mode = Mode.NORMAL


REFRESH = Mode.REFRESH_ONLY

EXPECTED = {
    "apply_partial": Expected("a3 c1 d1", "a2"),
    "check_fail": Expected("u1", exit_code=0),
    "count_foreach": Expected("a1 d3 u3"),
    "create": Expected("a2", "a1"),
    "data_known": Expected("a1", "a1"),
    "data_read_at_apply": Expected("a1", "a1"),
    "delete": Expected("d1 u1", "d1"),
    "deposed": Expected("d1 u1"),
    "destroy": Expected("d2", "d1", mode=Mode.DESTROY),
    "drift_changed_ignored": Expected("u2", drift="c1", exit_code=0),
    "drift_changed_reverted": Expected("c1 u1", drift="c1"),
    "drift_deleted": Expected("a1 u1", drift="d1"),
    "drift_destroy": Expected("d1", mode=Mode.DESTROY),
    "drift_none_first_refresh": Expected("u1", drift="", exit_code=0),
    "drift_refresh_false": Expected("u2", exit_code=0),
    "drift_refresh_only": Expected("u1", "c1", "c1 d1", mode=REFRESH),
    "drift_relevant": Expected("c1 u1", drift="c1"),
    "empty": Expected("", exit_code=0),
    "ephemeral_var": Expected("a1"),
    "errored_data_source": Expected("a1", exit_code=1),
    "errored_precondition": Expected("c1", "a1", exit_code=1),
    "forget": Expected("r1 u1"),
    "generate_config": Expected("i1"),
    "import_noop": Expected("i1"),
    "import_update": Expected("i1 c1"),
    "move": Expected(""),
    "move_refresh_only": Expected("u1", drift="", exit_code=0, mode=REFRESH),
    "noop": Expected("u1", "u1", exit_code=0),
    "output_to_null": Expected("", "a1 c1"),
    "outputs_mixed": Expected("a1", "a2 c1 d1 u1"),
    "outputs_only": Expected("", "a1 c1 d1 u1"),
    "refresh_only_nochange": Expected("u1", exit_code=0, mode=REFRESH),
    "refresh_only_output": Expected("u1", "c1", mode=REFRESH),
    "removed_destroy": Expected("d1 u1"),
    "replace_create_delete": Expected("a1 d1"),
    "replace_delete_create": Expected("a1 d1"),
    "replace_flag": Expected("a1 d1 u1"),
    "replace_tainted": Expected("a1 d1"),
    "sensitive": Expected("a1", "a1"),
    "synthetic_actions_1_14": Expected("a1"),
    "synthetic_deferred": Expected("a1"),
    "update": Expected("c1 u1"),
}

RECORDED = {
    "create": Expected("a2", "a1"),
    "delete": Expected("d1 u1"),
    "destroy": Expected("d2", "d1", mode=Mode.DESTROY),
    "destroy_forget": Expected("d1 r1", mode=Mode.DESTROY),
    "exclude": Expected("c1"),
    "fails_half_way": Expected("a3"),
    "forget": Expected("r1 u1"),
    "modules": Expected("a2"),
    "move": Expected(""),
    "noop": Expected("u1", "u1", exit_code=0),
    "plan_fails": Expected("a1", exit_code=1),
    "refresh_only": Expected("u1", "u1", exit_code=0, mode=REFRESH),
    "replace": Expected("a1 d1"),
    "update": Expected("c1 u1", "c1"),
}

LETTERS = {
    "a": "added",
    "c": "changed",
    "d": "deleted",
    "i": "imported",
    "r": "removed",
    "u": "unchanged",
}


def counts(short: str) -> Counts:
    """The counts in the short form of `Expected`."""
    return Counts(**{LETTERS[word[0]]: int(word[1:]) for word in short.split()})


def assert_as_expected(plan: Plan, expected: Expected) -> None:
    """Asserts that the plan has the expected counts and outcome."""
    assert count_resources(plan) == counts(expected.resources)
    assert count_outputs(plan) == counts(expected.outputs)
    found = None if plan.drift is None else count_listed_drift(plan.drift)
    assert found == (None if expected.drift is None else counts(expected.drift))
    assert has_changes(plan) is (expected.exit_code == 2)
    assert bool(plan.errored) is (expected.exit_code == 1)


def test_every_plan_is_expected() -> None:
    """Every recorded plan is in one of the tables."""
    assert EXPECTED.keys() == {path.parent.name for path in PLANS.glob("*/plan.json")}
    recorded = {path.parent.name for path in ENGINES.glob("*/*/plan.json")}
    assert recorded == RECORDED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_counts_of_terraform_1_11(name: str) -> None:
    """The counts of a real plan's `show -json` are those counted by hand."""
    plan = planjson.parse_plan((PLANS / name / "plan.json").read_bytes(), EXPECTED[name].mode)
    assert_as_expected(plan, EXPECTED[name])


@pytest.mark.parametrize("name", EXPECTED)
def test_applyable_is_what_our_own_rule_says(name: str) -> None:
    """Without `applyable` in the document, our own rule gives the same answer."""
    expected = EXPECTED[name]
    document = json.loads((PLANS / name / "plan.json").read_bytes())
    document.pop("applyable", None)
    plan = planjson.parse_plan(json.dumps(document).encode(), expected.mode)
    assert has_changes(plan) is (expected.exit_code == 2)


ENGINE_PLANS = [path.parent for path in sorted(ENGINES.glob("*/*/plan.json"))]


def named(place: Path) -> str:
    return f"{place.parent.name}/{place.name}"


@pytest.mark.parametrize("place", ENGINE_PLANS, ids=named)
@pytest.mark.parametrize("reader", ["json", "file"])
def test_counts_of_newer_engines(place: Path, reader: str) -> None:
    """For OpenTofu 1.13-dev and Terraform 1.17-dev, the plan file and the JSON give the expected
    counts."""
    expected = RECORDED[place.name]
    if reader == "json":
        plan = planjson.parse_plan((place / "plan.json").read_bytes(), expected.mode)
    else:
        plan = planfile.read_plan_file(str(place / "plan.tfplan")).plan
    assert_as_expected(plan, expected)


SUMMED = {"add": "added", "change": "changed", "remove": "deleted", "import": "imported"}


def summary(stream: Path, operations: set[str]) -> dict[str, int] | None:
    """The last change summary for one of these operations in a stream; None if there is none."""
    lines = [json.loads(line) for line in stream.read_text().splitlines()]
    found = [
        line["changes"]
        for line in lines
        if line.get("type") == "change_summary" and line["changes"]["operation"] in operations
    ]
    return found[-1] if found else None


STREAMS = [
    (stream, stream.parent)
    for pattern in ("plans/*/plan.stream.jsonl", "engines/*/*/plan.into.jsonl")
    for stream in sorted(DATA.glob(pattern))
    if (stream.parent / "plan.json").exists()
]


@pytest.mark.parametrize(("stream", "place"), STREAMS, ids=lambda path: path.parent.name)
def test_counts_are_terraforms_own(stream: Path, place: Path) -> None:
    """added, changed, deleted and imported equal the tool's own change_summary."""
    told = summary(stream, {"plan"})
    if told is None:
        pytest.skip("this run had no summary")
    own = count_resources(planjson.parse_plan((place / "plan.json").read_bytes())).as_json()
    assert {key: own[name] for key, name in SUMMED.items()} == {key: told[key] for key in SUMMED}
    assert own["removed"] == told.get("forget", own["removed"])
