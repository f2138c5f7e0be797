"""The counting rules: what terraform itself would print, and on where terraform stops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from msgspec import Struct
from msgspec.structs import asdict

from tfevents.terraform.arguments import Mode
from tfevents.terraform.plan import Change, Drift, OutputChange, Plan

NOTHING = frozenset({"no-op", "read"})


class Counts(Struct, frozen=True):
    """The contract's six numbers. `deleted` is destroyed, `removed` is forgotten by the state."""

    added: int = 0
    changed: int = 0
    deleted: int = 0
    imported: int = 0
    removed: int = 0
    unchanged: int = 0

    @property
    def planned(self) -> int:
        """The contract's PlannedChangesCount."""
        return self.added + self.changed + self.deleted

    def as_json(self) -> dict[str, int]:
        """All six, by the contract's names."""
        return asdict(self)


def tally(names: Iterable[str]) -> Counts:
    """Counts from the names of what is counted, one name each time it happens."""
    return Counts(**Counter(names))


def count_resources(plan: Plan, *, partial: bool = False) -> Counts | None:
    """Managed objects by what the plan does to them. A targeted plan leaves the others out, and so
    does `unchanged`.

    A refresh-only plan (JSON alone does not say what it is) lists no changes at all: what the prior
    state holds and nobody touched is then unchanged. None where it did not look at all of it
    (`partial`), where planning broke off before anything was listed, and where nobody knows what
    an action is.
    """
    names: Counter[str] = Counter()
    for change, number in plan.kinds.items():
        names.update(dict.fromkeys(resource_names(change), number))
    if foreign_actions(plan) or (plan.errored and not plan.changes):
        return None
    if plan.changes or plan.mode not in (None, Mode.REFRESH_ONLY):
        return Counts(**names)
    if partial:
        return None
    return Counts(unchanged=max(0, plan.managed - count_listed_drift(plan.drift or ()).changed))


def resource_names(change: Change) -> list[str]:
    """What one change counts as; an import counts beside the action that comes with it."""
    if not change.managed:
        return []
    names = ["imported"] if change.importing else []
    if change.actions == {"no-op"}:
        plain = not (change.importing or change.moved or change.deposed)
        return ["unchanged"] if plain else names
    return names + [COUNTED_AS[action] for action in sorted(change.actions & COUNTED_AS.keys())]


def foreign_actions(plan: Plan) -> frozenset[str]:
    """Actions on managed objects that nobody knows yet: what they would count as is not guessed."""
    return find_foreign(change.actions for change in plan.kinds if change.managed)


def find_foreign(actions: Iterable[frozenset[str]]) -> frozenset[str]:
    """Those of the actions that nobody knows yet."""
    return frozenset().union(*actions) - COUNTED_AS.keys() - NOTHING


# Unordered on purpose: ["delete","create"] and ["create","delete"] are one replacement, and
# OpenTofu's ["forget","create"] is Terraform's ["create","forget"].
COUNTED_AS = {"create": "added", "update": "changed", "delete": "deleted", "forget": "removed"}


def count_outputs(plan: Plan) -> Counts | None:
    """Root outputs by what the plan does to them; one that is null throughout is in no state.

    None where nobody knows what an action is.
    """
    if find_foreign(output.actions for output in plan.outputs.values()):
        return None
    return tally(name for output in plan.outputs.values() for name in output_names(output))


def output_names(output: OutputChange) -> list[str]:
    """What one output counts as: nothing where it is in no state, before or after. A destroy lists
    every output that is configured as deleted.
    """
    if output.null:
        return []
    if output.actions == {"no-op"}:
        return ["unchanged"]
    return [COUNTED_AS[action] for action in sorted(output.actions & COUNTED_AS.keys())]


def count_listed_drift(drift: Iterable[Drift]) -> Counts:
    """Objects that somebody changed or deleted behind terraform's back.

    Providers report drift that nobody made (null against {}): an update whose two sides are the
    same once empty values are dropped is noise. hashicorp/terraform-provider-aws#37601
    """
    return tally(
        "changed" if entry.actions == {"update"} else "deleted"
        for entry in drift
        if entry.actions == {"delete"} or (entry.actions == {"update"} and entry.differs)
    )


def count_drift(drift: Collection[Drift]) -> Counts | None:
    """The same; None where nobody knows what an action is."""
    foreign = find_foreign(entry.actions for entry in drift)
    return None if foreign else count_listed_drift(drift)


def count_measured_drift(plan: Plan, *, saved: bool) -> Counts | None:
    """The drift of a plan that refreshed; None where it was not measured.

    That is so for a destroy and for a plan that broke off; and for a `saved` one that lists none,
    which does not say whether it refreshed, unless that was all it was to do.
    """
    silent = plan.drift is None and (plan.errored or (saved and plan.mode is not Mode.REFRESH_ONLY))
    unmeasured = plan.mode is Mode.DESTROY or silent
    return None if unmeasured else count_listed_drift(plan.drift or ())


def has_changes(plan: Plan) -> bool:
    """Whether there is something to apply: `applyable` where the plan has it, else the same rule.

    More than counts: a move, an import, a forget or an output alone is something to apply.
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
    """Whether applying would store another output."""
    return not (output.actions <= NOTHING or output.null)
