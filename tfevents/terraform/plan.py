"""What a plan says that counting needs: changes, drift and outputs, and no value of any of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from msgspec import Struct

from tfevents.terraform.arguments import Mode

UPDATE = frozenset({"update"})
"""The actions of an update in place."""


class Change(Struct, frozen=True):
    """One entry of `resource_changes`: one resource object, current or deposed.

    `unknown`: of an update, whether part of what it will be is only known after the apply.
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
        """Whether the object gets another address (`moved` block, count to single, …)."""
        return self.previous_address not in (None, self.address)

    @property
    def kind(self) -> tuple[object, ...]:
        """What it counts by: changes of one kind count alike."""
        deposed = self.deposed is not None
        return (self.mode, self.actions, self.importing, self.moved, deposed, self.unknown)

    @property
    def managed(self) -> bool:
        """Data reads and OpenTofu 1.11's ephemeral entries are no changes to infrastructure."""
        return self.mode == "managed"


class Drift(Struct, frozen=True):
    """One entry of `resource_drift`; `differs` once null, "", [] and {} are taken as the same."""

    actions: frozenset[str]
    differs: bool


class OutputChange(Struct, frozen=True):
    """One entry of `output_changes`.

    `null`: nothing before and nothing after, so it is in no state.
    `unknown`: the value after is only known after the apply. `before`: digest of the value before.
    """

    actions: frozenset[str]
    null: bool = False
    unknown: bool = False
    before: bytes | None = None


class Plan(Struct, frozen=True, dict=True):
    """A plan, from whichever reader.

    `drift` is None where the document has none (`-refresh=false`, `-destroy`, or nothing drifted:
    terraform omits an empty list). `mode`, `applyable`, `complete` and `errored` are None where
    the document does not say. `managed` counts the current managed objects of the prior state.
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
        """One change of each kind, and how many there are that count as it does."""
        first: dict[tuple[object, ...], Change] = {}
        many: dict[tuple[object, ...], int] = {}
        for change in self.changes:
            kind = change.kind
            first.setdefault(kind, change)
            many[kind] = many.get(kind, 0) + 1
        return {first[kind]: number for kind, number in many.items()}
