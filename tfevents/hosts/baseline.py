"""The baseline: what `before` stores in the journal with its run, for `after` to compare with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tfevents.events.model import Numbers
from tfevents.hosts.call import HookCall
from tfevents.reporting.outcome import count_plan
from tfevents.reporting.saved_plan import SavedPlan
from tfevents.terraform.arguments import Mode
from tfevents.terraform.counts import Counts
from tfevents.terraform.state import Identity, State
from tfevents.terraform.workdir import FileIdentity, file_identity

PlanFiles = tuple[FileIdentity | None, FileIdentity | None]
"""The identities of the plan file and of the plan JSON; None for one not named or not found."""


class Baseline(Struct, frozen=True):
    """What was known when `before` was called; None for what was not.

    `state_identity`: that of the stored state. `numbers` and `mode`: of the saved plan that is
    applied, since the host may delete its file before `after`. `plans`: which plan files existed;
    None where the run had no `before`. `execution`: the host's id of the execution.
    """

    state_identity: Identity | None = None
    numbers: Numbers | None = None
    mode: Mode | None = None
    plans: PlanFiles | None = None
    execution: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The baseline as a JSON object, as the journal stores it."""
        return {
            "state": self.state_identity,
            "numbers": self.numbers.metadata() if self.numbers else None,
            "mode": self.mode.value if self.mode else None,
            "plans": self.plans,
            "execution": self.execution,
        }


def make_baseline(call: HookCall, planned: SavedPlan | None, state: State | None) -> Baseline:
    """The baseline of a run that is about to begin. `planned`: the saved plan that is applied."""
    numbers = count_plan(planned.plan, saved=True, partial=planned.targeted) if planned else None
    return Baseline(
        state_identity=state.identity if state else None,
        numbers=numbers,
        mode=planned.plan.mode if planned else None,
        plans=identify_plans(call),
        execution=call.execution,
    )


def parse_baseline(base: Mapping[str, Any] | None) -> Baseline:
    """The baseline in the `base` of a run in the journal; an empty one where `base` is None."""
    base = base or {}
    state, plans, mode = base.get("state"), base.get("plans"), base.get("mode")
    return Baseline(
        state_identity=(state[0] or 0, state[1] or "") if state else None,
        numbers=_parse_numbers(base.get("numbers")),
        mode=Mode(mode) if mode else None,
        plans=(_parse_identity(plans[0]), _parse_identity(plans[1])) if plans else None,
        execution=base.get("execution"),
    )


def identify_plans(call: HookCall) -> PlanFiles:
    """The current identities of the call's plan file and plan JSON."""
    return _identify(call.plan_file), _identify(call.plan_json)


def _identify(path: str | None) -> FileIdentity | None:
    return file_identity(path) if path else None


def _parse_identity(kept: list[int] | None) -> FileIdentity | None:
    return (kept[0], kept[1], kept[2]) if kept else None


def _parse_numbers(kept: Mapping[str, Any] | None) -> Numbers | None:
    if not kept:
        return None
    names = ("resource_counts", "output_counts", "drift_counts")
    return Numbers(*(Counts(**kept[name]) if name in kept else None for name in names))
