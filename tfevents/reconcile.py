"""What an apply really did: its plan held against the state before and after it.

Terraform prints no numbers when an apply fails; the rules were read off real ones (semantics §5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tfevents.counts import Counts, output_names, resource_names, tally
from tfevents.plan import Change, OutputChange, Plan
from tfevents.state import State, StateObject

UPDATE = frozenset({"update"})
NO_OP = frozenset({"no-op"})


@dataclass(frozen=True)
class Ledger:
    """Two states of one form: digests of a pulled and of a shown state never compare."""

    before: State
    after: State
    left_deposed: frozenset[str]
    """Addresses whose old object got a deposed key: it still waits to be destroyed."""

    @classmethod
    def of(cls, before: State, after: State) -> Ledger:
        """The ledger of two states."""
        new = (key for key in after.objects if key[1] and key not in before.objects)
        return cls(before, after, frozenset(address for address, _ in new))

    def was(self, change: Change) -> StateObject | None:
        """The object before, by its address or the one it moves from (semantics §4.7 e)."""
        objects = self.before.objects
        old = change.previous_address or change.address
        return objects.get((change.address, change.deposed)) or objects.get((old, change.deposed))

    def now(self, change: Change) -> StateObject | None:
        """The object after."""
        return self.after.objects.get((change.address, change.deposed))


def done_to_resources(plan: Plan, ledger: Ledger) -> Counts:
    """How much of a plan that did not end well was done.

    A create that ended tainted is no addition, a replacement may be half done, and what was to
    stay unchanged did.
    """
    return tally(name for change in plan.changes for name in _done(change, ledger))


def _done(change: Change, ledger: Ledger) -> Iterator[str]:
    planned = resource_names(change)
    if "imported" in planned and ledger.now(change):
        yield "imported"
    if "create" in change.actions and change.managed:
        yield from _created(change, ledger)
    elif _happened(change, ledger):
        yield from (name for name in planned if name != "imported")


def _happened(change: Change, ledger: Ledger) -> bool:
    """Whether an update, a deletion, a forgetting or nothing at all came to be."""
    if change.actions == UPDATE:
        return ledger.now(change) not in (None, ledger.was(change))
    return change.actions == NO_OP or ledger.now(change) is None


def _created(change: Change, ledger: Ledger) -> Iterator[str]:
    """A creation, alone or as one half of a replacement; each half on its own."""
    now = ledger.now(change)
    fresh = now != ledger.was(change)
    if now and fresh and not now.tainted:
        yield "added"
    if len(change.actions) > 1 and fresh and change.address not in ledger.left_deposed:
        yield "deleted" if "delete" in change.actions else "removed"


def done_to_outputs(plan: Plan, after: State, *, finished: bool) -> Counts:
    """Outputs as they ended.

    Where the apply `finished`, only a value that was not known when it was planned can have
    turned out to be what it was before (semantics §1.3).
    """
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
