"""Which plan and state a hook's event is about, and what it says of a plan that is not whole."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tfevents.events.model import Operation
from tfevents.hosts.baseline import Baseline
from tfevents.hosts.call import CallOptions, HookCall, parse_call
from tfevents.hosts.hook_facts import collect_facts, find_partial_reasons, find_plan
from tfevents.hosts.hook_hosts import HookHost
from tfevents.hosts.hook_outcome import HookFacts
from tfevents.reporting.saved_plan import SavedPlan
from tfevents.terraform.arguments import Mode
from tfevents.terraform.plan import Plan
from tfevents.terraform.state import State


def call(*words: str, **options: object) -> HookCall:
    """The call of `tfevents hook after` for this command line."""
    found = parse_call("after", words, CallOptions(**options), HookHost(), {})
    assert found is not None
    return found


def facts(plan: Plan, *, targeted: bool = False) -> HookFacts:
    """What is known of a run with this plan."""
    return HookFacts(Operation.APPLY, Mode.NORMAL, planned=SavedPlan(plan, targeted=targeted))


def test_a_plan_that_says_it_is_incomplete() -> None:
    """A plan that is incomplete for no other reason is reported as `incomplete`, as `tf` reports
    it: of a targeted plan, plan JSON says no more."""
    incomplete = Plan("1.2", "1.14.0", complete=False)
    assert find_partial_reasons(facts(incomplete), call("apply")) == ("incomplete",)
    assert find_partial_reasons(facts(incomplete, targeted=True), call("apply")) == ("target",)
    assert find_partial_reasons(facts(incomplete), call("plan", "-target=a.b")) == ("target",)


def test_a_plan_that_covers_everything_or_failed() -> None:
    """A whole plan has no reason, since the flags of an apply do not count; one that failed is
    `errored` and not `incomplete` as well."""
    whole = Plan("1.2", "1.14.0", complete=True)
    assert find_partial_reasons(facts(whole), call("apply", "-target=a.b")) == ()
    errored = Plan("1.2", "1.14.0", errored=True, complete=False)
    assert find_partial_reasons(facts(errored), call("plan")) == ("errored",)


EMPTY_PLAN = SavedPlan(Plan("1.2", "1.14.0", mode=Mode.NORMAL, applyable=False))
DESTROY_PLAN = SavedPlan(Plan("1.2", "1.14.0", mode=Mode.DESTROY, applyable=True))
TARGETED = SavedPlan(DESTROY_PLAN.plan, targeted=True)
OCCUPIED = SavedPlan(Plan("1.2", "1.14.0", mode=Mode.NORMAL, applyable=False, managed=1))


@pytest.mark.parametrize(
    ("words", "succeeded", "planned", "trusted"),
    [
        ("apply", True, None, False),
        ("apply", None, None, False),
        ("apply p", True, EMPTY_PLAN, True),
        ("apply p", True, OCCUPIED, False),
        ("apply p", False, EMPTY_PLAN, False),
        ("apply p", True, DESTROY_PLAN, True),
        ("apply p", True, TARGETED, False),
        ("refresh", True, None, False),
        ("destroy", True, None, True),
        ("destroy", None, None, False),
        ("destroy", False, None, False),
        ("destroy -target=a.b", True, None, False),
    ],
)
def test_no_state_is_trusted_where_none_is_left(
    words: str, succeeded: bool | None, planned: SavedPlan | None, trusted: bool
) -> None:
    """An empty answer of `state pull` is the state only after a run that leaves nothing."""
    found = collect_facts(call(*words.split(), succeeded=succeeded), planned, State(), Baseline())
    assert found.state_after == (State() if trusted else None)
    stored = State(serial=1, lineage="l")
    assert collect_facts(call("apply"), None, stored, Baseline()).state_after == stored


@pytest.mark.parametrize(
    ("succeeded", "opened_at", "found"),
    [
        (None, "2026-01-02T00:00:00.500Z", False),
        (None, "2026-01-01T00:00:00.500Z", True),
        (False, "2026-01-02T00:00:00.500Z", False),
        (True, "2026-01-02T00:00:00.500Z", True),
    ],
)
def test_a_plan_that_only_after_names(
    tmp_path: Path, succeeded: bool | None, opened_at: str, found: bool
) -> None:
    """A plan that `before` did not name is older than the run if its file is, unless the run is
    known to have succeeded."""
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"format_version": "1.2", "terraform_version": "1.14.0"}))
    os.utime(path, (1767225600, 1767225600))  # 2026-01-01, in whole seconds
    after = call("plan", plan_json=str(path), succeeded=succeeded)
    plan = find_plan(after, None, {}, Baseline(plans=(None, None)), opened_at)
    assert (plan is not None) is found


def test_a_closed_stdin_has_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """With stdin closed, `--plan-json -` names no plan."""
    monkeypatch.setattr(sys, "stdin", None)
    assert find_plan(call("plan", plan_json="-"), None, {}, Baseline()) is None
