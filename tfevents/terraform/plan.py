"""The parts of a plan that counting needs: changes, drift and outputs, without their values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from msgspec import Struct

from tfevents.terraform.arguments import Mode

UPDATE = frozenset({"update"})
"""The actions of an update in place."""


class Change(Struct, frozen=True):
    """One entry of `resource_changes`: one resource object, current or deposed.

    `unknown`: for an update, whether part of the new value is only known after the apply.
    """

    address: str
    mode: str
    actions: frozenset[str]
    importing: bool = False
    previous_address: str | None = None
    deposed: str | None = None
    unknown: bool = False

    @property
    def moved(self) -> bool:
        """Whether the object's address changes (`moved` block, count to single, …)."""
        return self.previous_address not in (None, self.address)

    @property
    def kind(self) -> tuple[object, ...]:
        """Everything that the counts of a change depend on: changes of one kind count alike."""
        deposed = self.deposed is not None
        return (self.mode, self.actions, self.importing, self.moved, deposed, self.unknown)

    @property
    def managed(self) -> bool:
        """Whether the object is managed; data reads and OpenTofu 1.11's ephemeral entries do not
        change infrastructure."""
        return self.mode == "managed"


class Drift(Struct, frozen=True):
    """One entry of `resource_drift`. `differs`: before and after differ even if null, "", [] and {}
    are taken as equal."""

    actions: frozenset[str]
    differs: bool


class OutputChange(Struct, frozen=True):
    """One entry of `output_changes`.

    `null`: there is no value before and none after, so the output is in no state. `unknown`: the
    new value is only known after the apply. `before`: digest of the value before.
    """

    actions: frozenset[str]
    null: bool = False
    unknown: bool = False
    before: bytes | None = None


class Plan(Struct, frozen=True, dict=True):
    """A plan, read from a plan file or from plan JSON.

    `drift` is None if the document lists none (`-refresh=false`, `-destroy`, or nothing drifted:
    terraform omits an empty list). `mode`, `applyable`, `complete` and `errored` are None if the
    document does not say. `managed`: the number of current managed objects in the prior state, 0
    for a plan that lists changes.
    """

    format_version: str
    terraform_version: str | None
    changes: tuple[Change, ...] = ()
    drift: tuple[Drift, ...] | None = None
    outputs: Mapping[str, OutputChange] = {}
    mode: Mode | None = None
    applyable: bool | None = None
    complete: bool | None = None
    errored: bool | None = None
    managed: int = 0

    @cached_property
    def kinds(self) -> Mapping[Change, int]:
        """One change of each kind, and the number of changes of that kind."""
        first: dict[tuple[object, ...], Change] = {}
        many: dict[tuple[object, ...], int] = {}
        for change in self.changes:
            kind = change.kind
            first.setdefault(kind, change)
            many[kind] = many.get(kind, 0) + 1
        return {first[kind]: number for kind, number in many.items()}


def list_partial_reasons(
    plan: Plan | None, flags: tuple[str, ...], *, targeted: bool
) -> tuple[str, ...]:
    """Why a plan does not cover everything; empty if it does, as far as is known.

    `flags`: the reasons in the flags that the plan was made with. `targeted`: whether the plan file
    has targets. `incomplete` is what the plan itself says; only listed without another reason.
    """
    reasons = flags or (("target",) if targeted else ())
    if plan and plan.errored:
        reasons = (*reasons, "errored")
    return reasons or (("incomplete",) if plan and plan.complete is False else ())
