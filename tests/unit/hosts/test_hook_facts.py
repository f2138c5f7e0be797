"""What a hook's event says of a plan that does not cover everything."""

from __future__ import annotations

from tfevents.events.model import Operation
from tfevents.hosts.call import CallOptions, HookCall, parse_call
from tfevents.hosts.hook_facts import find_partial_reasons
from tfevents.hosts.hook_hosts import HookHost
from tfevents.hosts.hook_outcome import HookFacts
from tfevents.reporting.saved_plan import SavedPlan
from tfevents.terraform.arguments import Mode
from tfevents.terraform.plan import Plan


def call(*words: str) -> HookCall:
    """The call of `tfevents hook after` for this command line."""
    found = parse_call("after", words, CallOptions(), HookHost(), {})
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
