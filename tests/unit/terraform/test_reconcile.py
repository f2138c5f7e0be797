"""What an apply did, by the states before and after it: recorded applies and constructed ones."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace
from support.paths import DATA

from tfevents.readers.json import plan as planjson
from tfevents.readers.json import state
from tfevents.readers.planfile import reader
from tfevents.terraform.counts import Counts
from tfevents.terraform.plan import Change, OutputChange, Plan
from tfevents.terraform.reconcile import (
    StatePair,
    done_to_outputs,
    done_to_resources,
)
from tfevents.terraform.state import State, StateObject

HOOKS = {"create": "added", "update": "changed", "delete": "deleted"}
SUMMED = {"add": "added", "change": "changed", "remove": "deleted", "import": "imported"}


def stream_of(place: Path) -> list[dict[str, object]]:
    """The messages of the recorded apply; empty if there is no recording."""
    for name in ("apply.stream.jsonl", "apply.into.jsonl"):
        if (place / name).exists():
            return [json.loads(line) for line in (place / name).read_text().splitlines()]
    return []


def hooks(place: Path) -> Counter[str]:
    """The counts of what the tool said it had completed."""
    done = (line["hook"] for line in stream_of(place) if line["type"] == "apply_complete")
    return Counter(HOOKS[h["action"]] for h in done if h["action"] in HOOKS)  # type: ignore[index]


APPLIED = [
    path.parent
    for path in sorted(DATA.glob("plans/*/plan.json"))
    if (path.parent / "state_after.tfstate").exists() and stream_of(path.parent)
    if (path.parent / "state_after.tfstate").stat().st_size
]


def shown(place: Path) -> tuple[Plan, StatePair]:
    """The plan, and its prior state beside the state after, all from `show -json`."""
    text = (place / "plan.json").read_bytes()
    prior = json.loads(text).get("prior_state") or {"format_version": "1.0"}
    before = state.parse_shown_state(json.dumps(prior).encode())
    after = state.parse_shown_state((place / "state_after.json").read_bytes())
    return planjson.parse_plan(text), StatePair.of(before, after)


@pytest.mark.parametrize("place", APPLIED, ids=lambda path: path.name)
def test_reconciled_is_what_terraform_completed(place: Path) -> None:
    """For every recorded apply, failed or not, the states give the counts of the tool's own
    messages."""
    done = done_to_resources(*shown(place)).as_json()
    told = hooks(place)
    assert {name: done[name] for name in HOOKS.values()} == {n: told[n] for n in HOOKS.values()}


RECORDED = [path.parent for path in sorted(DATA.glob("engines/*/*/plan.tfplan"))]


@pytest.mark.parametrize("place", RECORDED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_reconciled_from_a_plan_file_and_a_pull(place: Path) -> None:
    """The same holds for newer engines, with the plan file's prior state and `state pull`."""
    found = reader.read_plan_file(str(place / "plan.tfplan"))
    pulled = (place / "state_after.json").read_bytes()
    states = StatePair.of(
        state.parse_state_file(found.read_prior_state()),
        state.parse_state_file(pulled) if pulled.strip() else State(),
    )
    # plan and apply were recorded apart, so that creations and replacements were made twice
    done = done_to_resources(found.plan, states).as_json()
    told = hooks(place)
    assert {name: done[name] for name in HOOKS.values()} == {n: told[n] for n in HOOKS.values()}


OLD, NEW = StateObject(b"old"), StateObject(b"new")
TAINTED = StateObject(b"new", tainted=True)


def held(serial: int = 0, **objects: StateObject) -> State:
    """A state of these objects; `NAME_KEY` is a deposed object."""
    keys = {
        (name.partition("_")[0], name.partition("_")[2] or None): o for name, o in objects.items()
    }
    return State(objects=keys, serial=serial, lineage="l" if serial else "")


def done(change: Change, before: State, after: State) -> Counts:
    """The counts for one change between these states."""
    return done_to_resources(Plan("1.2", None, (change,)), StatePair.of(before, after))


def act(*actions: str, **members: object) -> Change:
    """A change of the object `a` with these actions."""
    return replace(Change("a", "managed", frozenset(actions)), **members)  # type: ignore[arg-type]


REPLACE = act("delete", "create")
NOTHING = held(1)


@pytest.mark.parametrize(
    ("change", "before", "after", "expected"),
    [
        (act("create"), NOTHING, held(2, a=NEW), Counts(added=1)),
        (act("create"), NOTHING, held(2, a=TAINTED), Counts()),
        (act("create"), NOTHING, held(2), Counts()),
        (act("create"), State(), held(1, a=NEW), Counts(added=1)),
        (act("create"), State(), State(), Counts()),
        (act("update"), held(1, a=OLD), held(2, a=NEW), Counts(changed=1)),
        (act("update"), held(1, a=OLD), held(2, a=OLD), Counts()),
        (act("update"), held(1, a=OLD), held(2), Counts()),
        (act("delete"), held(1, a=OLD), held(2), Counts(deleted=1)),
        (act("delete"), held(1, a=OLD), held(2, a=OLD), Counts()),
        (act("forget"), held(1, a=OLD), held(2), Counts(removed=1)),
        (act("forget"), held(1, a=OLD), held(2, a=OLD), Counts()),
        (act("no-op"), held(1, a=OLD), held(2, a=OLD), Counts(unchanged=1)),
        (act("no-op"), held(1, a=OLD), held(1, a=OLD), Counts(unchanged=1)),
        (REPLACE, held(1, a=OLD), held(2, a=NEW), Counts(added=1, deleted=1)),
        (REPLACE, held(1, a=OLD), held(2), Counts(deleted=1)),
        (REPLACE, held(1, a=OLD), held(2, a=TAINTED), Counts(deleted=1)),
        (REPLACE, held(1, a=OLD), held(2, a=OLD), Counts()),
        (REPLACE, held(1, a=OLD), held(2, a=NEW, a_12=OLD), Counts(added=1)),
        (REPLACE, held(1, a=OLD), held(2, a=TAINTED, a_12=OLD), Counts()),
        (act("create", "forget"), held(1, a=OLD), held(2, a=NEW), Counts(added=1, removed=1)),
        (act("delete", deposed="1"), held(1, a=OLD, a_1=OLD), held(2, a=OLD), Counts(deleted=1)),
        (act("delete", deposed="1"), held(1, a_1=OLD), held(2, a_1=OLD), Counts()),
        (act("no-op", importing=True), held(1), held(2, a=NEW), Counts(imported=1)),
        (act("no-op", importing=True), held(1), held(2), Counts()),
        (act("update", importing=True), held(1, a=OLD), held(2, a=OLD), Counts(imported=1)),
        (
            act("update", importing=True),
            held(1, a=OLD),
            held(2, a=NEW),
            Counts(imported=1, changed=1),
        ),
        (act("update", previous_address="z"), held(1, z=OLD), held(2, a=NEW), Counts(changed=1)),
        (act("update", previous_address="z"), held(1, z=OLD), held(2, a=OLD), Counts()),
        (act("create", mode="data"), NOTHING, held(2), Counts()),
        (act("read", mode="data"), NOTHING, held(2), Counts()),
    ],
)
def test_each_half_on_its_own(
    change: Change, before: State, after: State, expected: Counts
) -> None:
    """Each action of a change only counts if the states show it: a tainted object is not added, and
    a replacement may be half done."""
    assert done(change, before, after) == expected


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        (act("delete", previous_address="z"), held(3, z=OLD), held(3, z=OLD)),
        (act("forget", previous_address="z"), held(3, z=OLD), held(3, z=OLD)),
        (REPLACE, held(3), held(3, a=OLD)),
        (act("create"), held(3), held(3, a=OLD)),
        (act("update"), held(3, a=NEW), held(3, a=OLD)),
        (act("update", importing=True), held(3, a=NEW), held(3, a=OLD)),
    ],
)
def test_a_state_that_was_not_written_tells_of_nothing_done(
    change: Change, before: State, after: State
) -> None:
    """If the stored state did not change, nothing counts as done: an apply that never began leaves
    it without the plan's refresh and moves."""
    assert done(change, before, after) == Counts()


@pytest.mark.parametrize(
    ("change", "now", "finished", "expected"),
    [
        (OutputChange(frozenset({"create"})), b"1", False, Counts(added=1)),
        (OutputChange(frozenset({"create"})), None, False, Counts()),
        (OutputChange(frozenset({"update"}), before=b"1"), b"1", False, Counts(unchanged=1)),
        (OutputChange(frozenset({"update"}), before=b"1"), b"2", False, Counts(changed=1)),
        (OutputChange(frozenset({"update"}), before=b"1"), b"1", True, Counts(changed=1)),
        (
            OutputChange(frozenset({"update"}), unknown=True, before=b"1"),
            b"1",
            True,
            Counts(unchanged=1),
        ),
        (OutputChange(frozenset({"create"}), unknown=True), None, True, Counts()),
        (OutputChange(frozenset({"delete"}), before=b"1"), b"1", False, Counts(unchanged=1)),
        (OutputChange(frozenset({"delete"}), before=b"1"), None, False, Counts(deleted=1)),
        (OutputChange(frozenset({"no-op"}), null=True), None, False, Counts()),
    ],
)
def test_outputs_as_they_ended(
    change: OutputChange, now: bytes | None, finished: bool, expected: Counts
) -> None:
    """After a successful apply, outputs count as planned, except that an unknown value may be
    unchanged; after a failed one, the state decides."""
    plan = Plan("1.2", None, outputs={"o": change})
    after = State(outputs={} if now is None else {"o": now})
    assert done_to_outputs(plan, after, finished=finished) == expected
