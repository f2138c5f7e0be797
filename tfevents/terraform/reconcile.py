"""What an apply really did: its plan held against the state before and after it.

Terraform prints no numbers when an apply fails; the rules were read off real ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tfevents.terraform.counts import (
    NOTHING,
    Counts,
    count_resources,
    find_foreign,
    foreign_actions,
    output_names,
    resource_names,
    tally,
)
from tfevents.terraform.plan import UPDATE, Change, OutputChange, Plan
from tfevents.terraform.state import State, StateObject, literal


class StatePair(Struct, frozen=True):
    """Two states of one form: digests of a pulled and of a shown state never compare.

    `before` is the plan's own prior state, refreshed; its serial is that of the stored one.
    """

    before: State
    after: State
    left_deposed: frozenset[str]
    """Addresses whose old object got a deposed key: it still waits to be destroyed."""

    @classmethod
    def compare(cls, before: State, after: State) -> StatePair:
        """The ledger of two states."""
        new = (key for key in after.objects if key[1] and key not in before.objects)
        return cls(before, after, frozenset(address for address, _ in new))

    @property
    def written(self) -> bool:
        """Whether the state was stored since: an apply that began and did anything stores it.

        States without a serial (shown ones, or none at all) don't tell: they are compared.
        """
        told = None not in (self.before.serial, self.after.serial)
        return not told or self.before.identity != self.after.identity

    def was(self, change: Change) -> StateObject | None:
        """The object before, by its address or the one it moves from."""
        objects, deposed = self.before.objects, change.deposed
        old = literal(change.previous_address or change.address)
        return objects.get((literal(change.address), deposed)) or objects.get((old, deposed))

    def now(self, change: Change) -> StateObject | None:
        """The object after."""
        return self.after.objects.get((literal(change.address), change.deposed))

    def made(self, change: Change) -> StateObject | None:
        """The object that a creation, or a replacement, has left behind, tainted or not."""
        now = self.now(change)
        return now if self.written and now != self.was(change) else None


def done_to_resources(plan: Plan, ledger: StatePair) -> Counts | None:
    """How much of a plan that did not end well was done.

    A create that ended tainted is no addition, a replacement may be half done, and what was to
    stay unchanged did.
    """
    if not plan.changes or foreign_actions(plan):
        return count_resources(plan)
    return tally(name for change in plan.changes for name in _done(change, ledger))


def _done(change: Change, ledger: StatePair) -> Iterator[str]:
    planned = resource_names(change)
    if not change.managed or change.actions <= NOTHING:
        yield from (name for name in planned if name != "imported")
    elif "create" in change.actions:
        yield from _created(change, ledger)
    elif ledger.written and _happened(change, ledger):
        yield from (name for name in planned if name != "imported")
    if "imported" in planned and ledger.written and ledger.now(change):
        yield "imported"


def _happened(change: Change, ledger: StatePair) -> bool:
    """Whether an update, a deletion or a forgetting came to be."""
    if change.actions == UPDATE:
        return ledger.now(change) not in (None, ledger.was(change))
    return ledger.now(change) is None


def _created(change: Change, ledger: StatePair) -> Iterator[str]:
    """A creation, alone or as one half of a replacement; each half on its own."""
    made = ledger.made(change)
    if made and not made.tainted:
        yield "added"
    gone = ledger.written and ledger.now(change) != ledger.was(change)
    if len(change.actions) > 1 and gone and literal(change.address) not in ledger.left_deposed:
        yield "deleted" if "delete" in change.actions else "removed"


def done_to_outputs(plan: Plan, after: State, *, finished: bool) -> Counts | None:
    """Outputs as they ended.

    Where the apply `finished`, only a value that was not known when it was planned can have
    turned out to be what it was before. None where nobody knows what an action is.
    """
    if find_foreign(change.actions for change in plan.outputs.values()):
        return None
    return tally(
        name
        for output, change in plan.outputs.items()
        for name in _settled(change, after.outputs.get(output), finished)
    )


def _settled(change: OutputChange, now: bytes | None, finished: bool) -> list[str]:
    if finished and not change.unknown:
        return output_names(change)
    if "update" in change.actions:
        return ["unchanged" if now == change.before else "changed"]
    if "create" in change.actions:
        return ["added"] if now else []
    if "delete" in change.actions:
        return ["unchanged" if now else "deleted"]
    return output_names(change)
