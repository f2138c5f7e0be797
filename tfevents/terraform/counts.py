"""Counts a plan by terraform's own rules, and what terraform does not count by rules of our own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from msgspec import Struct
from msgspec.structs import asdict

from tfevents.terraform.arguments import Mode
from tfevents.terraform.plan import Change, Drift, OutputChange, Plan

NOTHING = frozenset({"no-op", "read"})


class Counts(Struct, frozen=True):
    """The contract's six numbers. `deleted`: destroyed. `removed`: forgotten by the state only."""

    added: int = 0
    changed: int = 0
    deleted: int = 0
    imported: int = 0
    removed: int = 0
    unchanged: int = 0

    @property
    def planned(self) -> int:
        """The contract's PlannedChangesCount: what is added, changed or deleted."""
        return self.added + self.changed + self.deleted

    def as_json(self) -> dict[str, int]:
        """All six numbers by their names in the contract."""
        return asdict(self)


def tally(names: Iterable[str]) -> Counts:
    """Counts from the names of the counts, each name once for every time it occurs."""
    return Counts(**Counter(names))


def count_resources(plan: Plan, *, partial: bool = False) -> Counts | None:
    """Managed objects by what the plan does to them.

    A targeted plan does not list the other objects, so `unchanged` does not include them. A
    refresh-only plan (plan JSON does not say its mode) lists no changes at all: `unchanged` is then
    the number of managed objects in the prior state without drift. None if such a plan did not
    cover all of the state (`partial`), if planning failed before any change was listed, and if an
    action is unknown.
    """
    names: Counter[str] = Counter()
    for change, number in plan.kinds.items():
        names.update(dict.fromkeys(resource_names(change), number))
    if find_unknown_actions(plan) or (plan.errored and not plan.changes):
        return None
    if plan.changes or plan.mode not in (None, Mode.REFRESH_ONLY):
        return Counts(**names)
    if partial:
        return None
    return Counts(unchanged=max(0, plan.managed - count_listed_drift(plan.drift or ()).changed))


def resource_names(change: Change) -> list[str]:
    """The names of the counts for one change; an import counts in addition to its action."""
    if not change.managed:
        return []
    names = ["imported"] if change.importing else []
    if change.actions == {"no-op"}:
        plain = not (change.importing or change.moved or change.deposed)
        return ["unchanged"] if plain else names
    return names + [COUNTED_AS[action] for action in sorted(change.actions & COUNTED_AS.keys())]


def find_unknown_actions(plan: Plan) -> frozenset[str]:
    """Unknown actions on managed objects; what they would count as is not guessed."""
    return filter_unknown_actions(change.actions for change in plan.kinds if change.managed)


def filter_unknown_actions(actions: Iterable[frozenset[str]]) -> frozenset[str]:
    """Those of the actions that this version does not know."""
    return frozenset().union(*actions) - COUNTED_AS.keys() - NOTHING


# Actions are sets on purpose: ["delete","create"] and ["create","delete"] are one replacement, and
# OpenTofu's ["forget","create"] is Terraform's ["create","forget"].
COUNTED_AS = {"create": "added", "update": "changed", "delete": "deleted", "forget": "removed"}


def count_outputs(plan: Plan) -> Counts | None:
    """Root outputs by what the plan does to them; None if an action is unknown.

    An output that is null before and after is in no state and is not counted.
    """
    if filter_unknown_actions(output.actions for output in plan.outputs.values()):
        return None
    return tally(name for output in plan.outputs.values() for name in output_names(output))


def output_names(output: OutputChange) -> list[str]:
    """The names of the counts for one output; none if it is in no state, before or after.

    A destroy lists every configured output as deleted.
    """
    if output.null:
        return []
    if output.actions == {"no-op"}:
        return ["unchanged"]
    return [COUNTED_AS[action] for action in sorted(output.actions & COUNTED_AS.keys())]


def count_listed_drift(drift: Iterable[Drift]) -> Counts:
    """Objects that were changed or deleted outside of terraform.

    Providers report drift that nobody caused (null against {}): an update whose two sides are equal
    once empty values are dropped is not counted. hashicorp/terraform-provider-aws#37601
    """
    return tally(
        "changed" if entry.actions == {"update"} else "deleted"
        for entry in drift
        if entry.actions == {"delete"} or (entry.actions == {"update"} and entry.differs)
    )


def count_drift(drift: Collection[Drift]) -> Counts | None:
    """As `count_listed_drift`, but None if an action is unknown."""
    unknown = filter_unknown_actions(entry.actions for entry in drift)
    return None if unknown else count_listed_drift(drift)


def count_measured_drift(plan: Plan, *, saved: bool) -> Counts | None:
    """The drift of a plan that refreshed; None if drift was not measured.

    It is not measured by a destroy. A plan that lists no drift has not measured it if planning
    failed, or if the plan is `saved` and not refresh-only: such a plan does not say whether it
    refreshed.
    """
    silent = plan.drift is None and (plan.errored or (saved and plan.mode is not Mode.REFRESH_ONLY))
    unmeasured = plan.mode is Mode.DESTROY or silent
    return None if unmeasured else count_listed_drift(plan.drift or ())


def has_changes(plan: Plan) -> bool:
    """Whether there is something to apply: the plan's own `applyable`, else by the same rule.

    A move, an import, a forget or an output alone is something to apply, too.
    """
    if plan.applyable is not None:
        return plan.applyable
    if plan.errored:
        return False
    drifted = plan.mode is Mode.REFRESH_ONLY and count_listed_drift(plan.drift or ()) != Counts()
    return drifted or any(map(acts, plan.kinds)) or any(map(alters, plan.outputs.values()))


def acts(change: Change) -> bool:
    """Whether applying would do anything about this object."""
    return change.managed and (not change.actions <= NOTHING or change.importing or change.moved)


def alters(output: OutputChange) -> bool:
    """Whether applying would change the stored output."""
    return not (output.actions <= NOTHING or output.null)
