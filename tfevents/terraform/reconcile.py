"""Counts what an apply of a hook's run did, from its plan and the states before and after it.

Such a run has no core log; what a run under `tf` did is counted by changes.py. Terraform prints no
numbers when an apply fails; the rules were derived from real failed applies.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tfevents.terraform.counts import (
    NOTHING,
    Counts,
    count_resources,
    filter_unknown_actions,
    find_unknown_actions,
    output_names,
    resource_names,
    tally,
)
from tfevents.terraform.plan import UPDATE, Change, OutputChange, Plan
from tfevents.terraform.state import State, StateObject, unescape_address


class StatePair(Struct, frozen=True):
    """The states before and after an apply, in the same form: the digests of a pulled state and of
    a shown state can't be compared.

    `before`: the plan's prior state, refreshed; its serial is that of the stored state.
    """

    before: State
    after: State
    left_deposed: frozenset[str]
    """Addresses whose old object has become deposed: it still has to be destroyed."""

    @classmethod
    def of(cls, before: State, after: State) -> StatePair:
        """The pair of these two states, with `left_deposed` found by comparing them."""
        new = (key for key in after.objects if key[1] and key not in before.objects)
        return cls(before, after, frozenset(address for address, _ in new))

    @property
    def written(self) -> bool:
        """Whether the state was stored in between: an apply that did anything stores the state.

        Also True if a state has no serial (a shown state, or no state at all): the objects must
        then be compared.
        """
        told = None not in (self.before.serial, self.after.serial)
        return not told or self.before.identity != self.after.identity

    def object_before(self, change: Change) -> StateObject | None:
        """The object before, at its address or the one that it moves from; None if there
        was no object."""
        objects, deposed = self.before.objects, change.deposed
        old = unescape_address(change.previous_address or change.address)
        new = unescape_address(change.address)
        return objects.get((new, deposed)) or objects.get((old, deposed))

    def object_after(self, change: Change) -> StateObject | None:
        """The object after; None if there is no object at this address."""
        return self.after.objects.get((unescape_address(change.address), change.deposed))

    def created_object(self, change: Change) -> StateObject | None:
        """The object that a creation or replacement has left, tainted or not; None if
        it has left none."""
        now = self.object_after(change)
        return now if self.written and now != self.object_before(change) else None


def done_to_resources(plan: Plan, states: StatePair) -> Counts | None:
    """Managed objects by what was done to them, for a plan that was perhaps only partly applied.

    A creation that left a tainted object is not counted as added, a replacement may be half done,
    and an object that was planned as unchanged counts as unchanged. A plan without changes counts
    as planned. None if an action is unknown.
    """
    if not plan.changes or find_unknown_actions(plan):
        return count_resources(plan)
    return tally(name for change in plan.changes for name in _done(change, states))


def _done(change: Change, states: StatePair) -> Iterator[str]:
    """The names of the counts for what was done of one change."""
    planned = resource_names(change)
    if not change.managed or change.actions <= NOTHING:
        yield from (name for name in planned if name != "imported")
    elif "create" in change.actions:
        yield from _created(change, states)
    elif states.written and _happened(change, states):
        yield from (name for name in planned if name != "imported")
    if "imported" in planned and states.written and states.object_after(change):
        yield "imported"


def _happened(change: Change, states: StatePair) -> bool:
    """Whether an update, a deletion or a forget was carried out."""
    if change.actions == UPDATE:
        return states.object_after(change) not in (None, states.object_before(change))
    return states.object_after(change) is None


def _created(change: Change, states: StatePair) -> Iterator[str]:
    """The names of the counts for a creation or replacement, whose two halves count separately."""
    made = states.created_object(change)
    if made and not made.tainted:
        yield "added"
    gone = states.written and states.object_after(change) != states.object_before(change)
    is_deposed = unescape_address(change.address) in states.left_deposed
    if len(change.actions) > 1 and gone and not is_deposed:
        yield "deleted" if "delete" in change.actions else "removed"


def done_to_outputs(plan: Plan, after: State, *, finished: bool) -> Counts | None:
    """Root outputs by what became of them; None if an action is unknown.

    `finished`: the apply succeeded. Outputs then count as planned, except that one whose value was
    unknown when it was planned may have turned out to be unchanged.
    """
    if filter_unknown_actions(change.actions for change in plan.outputs.values()):
        return None
    return tally(
        name
        for output, change in plan.outputs.items()
        for name in _list_output_counts(change, after.outputs.get(output), finished)
    )


def _list_output_counts(change: OutputChange, now: bytes | None, finished: bool) -> list[str]:
    """The names of the counts for one output; `now`: the digest of its value after the apply."""
    if finished and not change.unknown:
        return output_names(change)
    if "update" in change.actions:
        return ["unchanged" if now == change.before else "changed"]
    if "create" in change.actions:
        return ["added"] if now else []
    if "delete" in change.actions:
        return ["unchanged" if now else "deleted"]
    return output_names(change)
