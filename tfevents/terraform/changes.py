"""Counts what an apply under `tf` did, from its core log and the states before and after it.

A hook's run has no core log: reconcile.py counts what it did. A count is exact or None. Terraform's
own closing line counts by the same rules (internal/command/views/hook_count.go).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property

from msgspec import Struct

from tfevents.terraform.apply_log import ApplyLog, Failure, MoveIndex
from tfevents.terraform.arguments import Mode
from tfevents.terraform.counts import Counts, tally
from tfevents.terraform.plan import Plan
from tfevents.terraform.state import NULL, State, StateObject, unescape_address

COUNTED_AS: Mapping[str, tuple[str, ...]] = {  # the keys are terraform's plans.Action
    "NoOp": ("unchanged",),
    "Read": (),
    "Create": ("added",),
    "Update": ("changed",),
    "Delete": ("deleted",),
    "DeleteThenCreate": ("added", "deleted"),
    "CreateThenDelete": ("added", "deleted"),
    "Forget": ("removed",),
    "ForgetThenCreate": ("added", "removed"),
    "CreateThenForget": ("added", "removed"),
}


class Apply(Struct, frozen=True, dict=True):
    """An apply or destroy that has ended. A field that is None is not known.

    `plan`: the saved plan that was applied. `succeeded`: the run did. `ended_abruptly`: the run's
    last changes may not be stored anywhere. `refreshed`: the run looked for drift. `complete`: the
    plan covered every object.
    """

    log: ApplyLog
    before: State | None
    after: State | None
    mode: Mode
    plan: Plan | None = None
    succeeded: bool = False
    ended_abruptly: bool = False
    refreshed: bool = True
    complete: bool = True

    @property
    def countable(self) -> bool:
        """Whether it can be known at all what was done."""
        return (
            self.log.describes_one_apply
            and not (self.ended_abruptly and self.log.has_acted)
            and not self._unexplained
        )

    @property
    def _unexplained(self) -> bool:
        """Whether the state after has an object that was not in the state before, and that the log
        does not mention: log and states are then not of the same run."""
        if self.before is None or self.after is None:
            return False
        known = {address for address, _ in self.before.objects} | self.touched_or_imported
        return any(
            deposed is None and self.origin(address) not in known and address not in known
            for address, deposed in self.after.objects
        )

    @cached_property
    def actions(self) -> Mapping[str, Counter[str]]:
        """How often each action was begun, by address."""
        found: dict[str, Counter[str]] = {}
        for address, action in self.log.begun:
            found.setdefault(address, Counter())[action] += 1
        return found

    @cached_property
    def touched(self) -> frozenset[str]:
        """Addresses whose current object was changed or forgotten, or for which that failed."""
        begun = (address for address in self.actions if not self._only_deposed(address))
        forgotten = (address for address, deposed in self.log.forgets if deposed is None)
        failed = (f.address for f in self.log.failures if f.deposed is None)
        return frozenset((*begun, *forgotten, *failed))

    def _only_deposed(self, address: str) -> bool:
        """Whether only deposed objects were deleted at this address: the log names a deposed object
        by its address alone."""
        actions = self.actions[address]
        deletes = actions["Delete"] == actions.total() <= self._deposed_before[address]
        return deletes and self.current_object(address) is not None

    @cached_property
    def _deposed_before(self) -> Counter[str]:
        """How many deposed objects each address had before the run."""
        objects = self.before.objects if self.before else {}
        return Counter(address for address, deposed in objects if deposed is not None)

    @cached_property
    def touched_or_imported(self) -> frozenset[str]:
        """The addresses of `touched` and of `imports`."""
        return self.touched | self.imports

    @cached_property
    def imports(self) -> frozenset[str]:
        """Addresses that are imported, according to the saved plan and the log of the planning."""
        planned = self.plan.changes if self.plan else ()
        saved = {unescape_address(change.address) for change in planned if change.importing}
        return frozenset(saved | self.log.imports)

    @cached_property
    def _origins(self) -> Mapping[str, str]:
        """The previous address of each object that the saved plan moves, by its new address."""
        planned = self.plan.changes if self.plan else ()
        moved = ((c.address, c.previous_address) for c in planned if c.moved and not c.deposed)
        return {unescape_address(now): unescape_address(was) for now, was in moved if was}

    def origin(self, address: str) -> str:
        """The address of an object before it was moved; the same address if it was not moved."""
        return self._moves.find_origin(self._origins.get(address, address))

    @cached_property
    def _moves(self) -> MoveIndex:
        """The moves that the log mentions."""
        return MoveIndex(self.log.moves)

    @property
    def leaves_something(self) -> bool:
        """Whether there certainly is an object after the run; False means that it is not known."""
        made = any({"Create", "Update"} & actions.keys() for actions in self.actions.values())
        looked_at = self.log.planning and "NoOp" in self.log.planned.values()
        return made or looked_at or self._has_untouched_objects

    @property
    def _has_untouched_objects(self) -> bool:
        """Whether a run that covered only a part left an object of the state before untouched."""
        if self.complete or self.before is None:
            return False
        return any(address not in self.touched for address, _ in self.before.objects)

    def current_object(self, address: str) -> StateObject | None:
        """The current object at an address after the run; None if there is none or it is
        unknown."""
        return self.after.objects.get((address, None)) if self.after else None

    def moved(self, address: str) -> bool:
        """Whether an object was moved to this address from another one."""
        return self.origin(address) != address

    def has_begun(self, address: str, action: str) -> bool:
        """Whether an action was begun at this address."""
        return address in self.actions and self.actions[address][action] > 0

    @cached_property
    def _failed(self) -> Mapping[str, list[Failure]]:
        """The failures by address."""
        found: dict[str, list[Failure]] = {}
        for failure in self.log.failures:
            found.setdefault(failure.address, []).append(failure)
        return found

    def change_failed(self, address: str) -> bool:
        """Whether a creation or update failed; a postcondition that failed does not count."""
        wrong = [f for f in self._failed.get(address, ()) if not f.destroys]
        return any(not failure.only_postcondition_failed for failure in wrong)

    def count_failed_deletions(self, address: str) -> int:
        """How many deletions failed at this address."""
        return sum(failure.destroys for failure in self._failed.get(address, ()))


def count_resources(apply: Apply) -> Counts | None:
    """Managed objects by what was done to them; None if that or `unchanged` is not known.

    For a run that succeeded, its log and its plan are enough. For any other run the state after it
    must be known.
    """
    stayed = _count_unchanged(apply)
    known = apply.after is not None or apply.succeeded
    if not (apply.countable and known) or stayed is None:
        return None
    done = tally((*_done(apply), *_forgotten(apply), *_imported(apply)))
    return Counts(**{**done.as_json(), "unchanged": stayed})


def _done(apply: Apply) -> Iterator[str]:
    """The name of a count for each creation, update and deletion that succeeded."""
    for address, actions in apply.actions.items():
        if actions["Create"] and _was_created(apply, address):
            yield "added"
        if actions["Update"] and not apply.change_failed(address):
            yield "changed"
        yield from ["deleted"] * max(0, actions["Delete"] - apply.count_failed_deletions(address))


def _was_created(apply: Apply, address: str) -> bool:
    """Whether a creation that was begun succeeded. A creation that failed leaves a tainted object,
    no object, or the old object restored."""
    if apply.change_failed(address):
        return False
    made = apply.current_object(address)
    return apply.after is None or (made is not None and not made.tainted)


def _forgotten(apply: Apply) -> Iterator[str]:
    """`removed` for each object that was removed from the state without being destroyed."""
    after = apply.after.objects if apply.after else {}
    for key in apply.log.forgets:
        if key not in after and key[0] not in apply.log.forgotten_and_created:
            yield "removed"
    for address in apply.log.forgotten_and_created:
        if apply.has_begun(address, "Create"):
            yield "removed"


def _imported(apply: Apply) -> Iterator[str]:
    """`imported` for each object that was imported, even if it was replaced at once."""
    held = {address for address, _ in apply.after.objects} if apply.after else apply.imports
    for address in apply.imports:
        if address in held or apply.has_begun(address, "Delete"):
            yield "imported"


def _count_unchanged(apply: Apply) -> int | None:
    """How many current objects are in both states at the same address with nothing done to them.

    If one of the states is not known: how many were planned as NoOp, provided that the plan covered
    everything and is not refresh-only; else None.
    """
    if apply.before is not None and apply.after is not None:
        stood = frozenset(apply.before.objects)
    elif apply.log.planning and apply.complete and apply.mode is not Mode.REFRESH_ONLY:
        stood = frozenset(key for key, action in apply.log.planned.items() if action == "NoOp")
    else:
        return None
    return sum(deposed is None and _stays(apply, address) for address, deposed in stood)


def _stays(apply: Apply, address: str) -> bool:
    """Whether the object still exists at this address and was not moved, changed or imported."""
    there = apply.after is None or apply.current_object(address) is not None
    still = there and not apply.moved(address)
    return still and address not in apply.touched_or_imported


def count_tainted(apply: Apply) -> int:
    """How many objects this run created that are tainted: their creation failed."""
    created = (address for address, actions in apply.actions.items() if actions["Create"])
    objects = map(apply.current_object, created)
    return sum(found is not None and found.tainted for found in objects)


def count_outputs(apply: Apply) -> Counts | None:
    """Root outputs by what became of them; None if that is not known.

    An output that is null counts as absent, unless it is stored as null before and after.
    """
    before, after = apply.before, apply.after
    if before is None or after is None or not apply.countable:
        return None
    names = before.stored_outputs.keys() | after.stored_outputs.keys()
    return tally(kind for name in names if (kind := _output(before, after, name)))


def _output(before: State, after: State, name: str) -> str | None:
    """The name of the count for one output; None if it was null or absent before and after, unless
    it is stored alike."""
    was, now = before.stored_outputs.get(name), after.stored_outputs.get(name)
    if was == now:
        return "unchanged"
    had = before.outputs.get(name, NULL) != NULL
    has = after.outputs.get(name, NULL) != NULL
    if had and has:
        return "changed"
    return "added" if has else "deleted" if had else None


def count_drift_between_states(apply: Apply) -> Counts | None:
    """Objects that were changed or deleted outside of terraform before this run.

    None if the run did not look for drift, failed, was a destroy or applied a saved plan, if a
    state is not known, and if the run did more than create objects: the values that the refresh
    found for an object that was then changed are in neither state.
    """
    before, after = apply.before, apply.after
    hidden = any(set(actions) != {"Create"} for actions in apply.actions.values())
    looked = apply.succeeded and apply.refreshed and apply.mode is not Mode.DESTROY
    if before is None or after is None or hidden or apply.log.forgets or not looked:
        return None
    if apply.plan is not None or not apply.countable:
        return None
    targets = {apply.origin(address): address for address, _ in after.objects}
    return tally(
        kind
        for (address, deposed), was in before.objects.items()
        if deposed is None and (kind := _drifted(apply, targets.get(address, address), was))
    )


def _drifted(apply: Apply, address: str, was: StateObject) -> str | None:
    """`changed` or `deleted`; None if the object has not drifted."""
    now = apply.current_object(address)
    if now is None or apply.has_begun(address, "Create"):
        return "deleted"
    return "changed" if now.nonempty != was.nonempty else None


def count_logged_plan(log: ApplyLog) -> Counts | None:
    """What planning recorded; None if it recorded an action that this version does not know."""
    if not all(action in COUNTED_AS for action in log.planned.values()):
        return None
    return tally((*_planned(log), *("imported" for _ in log.imports)))


def _planned(log: ApplyLog) -> Iterator[str]:
    """The names of the counts for all planned actions; the caller adds those for imports. A no-op
    of a deposed, moved or imported object is not counted as unchanged."""
    moves = MoveIndex(log.moves)
    for (address, deposed), action in log.planned.items():
        apart = deposed or address in log.imports or moves.has_moved(address)
        if action != "NoOp" or not apart:
            yield from COUNTED_AS[action]
