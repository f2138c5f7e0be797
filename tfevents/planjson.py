"""`show -json PLANFILE` → Plan."""

from __future__ import annotations

from tfevents.document import (
    ABSENT,
    DriftJSON,
    ModuleJSON,
    PlanJSON,
    Raw,
    ResourceChangeJSON,
    SidesJSON,
    StateJSON,
    check_version,
    decode,
    plain,
)
from tfevents.plan import UPDATE, Change, Drift, Mode, OutputChange, Plan
from tfevents.values import digest_plain, filled


def parse(data: bytes, mode: Mode | None = None) -> Plan:
    """The plan in `data`; `mode` is what the caller knows, since this JSON does not say.

    Raises UnreadableDocument.
    """
    document = decode(data, PlanJSON, "plan JSON")
    check_version(document.format_version, "this plan JSON")
    drift = document.resource_drift
    return Plan(
        format_version=document.format_version,
        terraform_version=document.terraform_version,
        changes=tuple(map(_change, document.resource_changes or ())),
        drift=None if drift is None else tuple(map(_drift, drift)),
        outputs={name: _output(sides) for name, sides in (document.output_changes or {}).items()},
        mode=mode,
        applyable=document.applyable,
        complete=document.complete,
        errored=document.errored,
        managed=_managed(document),
    )


def _change(entry: ResourceChangeJSON) -> Change:
    actions = frozenset(entry.change.actions)
    return Change(
        address=entry.address,
        mode=entry.mode,
        actions=actions,
        importing=entry.change.importing is not None,
        previous_address=entry.previous_address,
        deposed=entry.deposed,
        unknown=actions == UPDATE and _unknown(entry.change.after_unknown),
    )


def _unknown(marks: Raw) -> bool:
    """Whether `after_unknown` marks anything; a name like "is_true" in it may say so in vain."""
    return b"true" in bytes(marks)


def _drift(entry: DriftJSON) -> Drift:
    return Drift(frozenset(entry.change.actions), differs(entry.change))


def differs(sides: SidesJSON) -> bool:
    """Whether anything is left of a difference once empty values are dropped (semantics §2)."""
    if bytes(sides.before) == bytes(sides.after):
        return False
    return bool(filled(plain(sides.before)) != filled(plain(sides.after)))


def _output(sides: SidesJSON) -> OutputChange:
    unknown = _unknown(sides.after_unknown)
    return OutputChange(
        actions=frozenset(sides.actions),
        null=bytes(sides.before) == bytes(sides.after) == bytes(ABSENT) and not unknown,
        unknown=unknown,
        before=None if bytes(sides.before) == bytes(ABSENT) else digest(sides.before),
    )


def digest(raw: Raw) -> bytes:
    """A value as something that can be compared and not be read."""
    return digest_plain(plain(raw))


def _managed(document: PlanJSON) -> int:
    """Current managed objects of the prior state; only looked at where there are no changes."""
    if document.resource_changes or bytes(document.prior_state) == bytes(ABSENT):
        return 0
    state = decode(bytes(document.prior_state), StateJSON, "plan JSON with a prior state")
    root = state.values.root_module if state.values else None
    return _count_managed(root) if root else 0


def _count_managed(module: ModuleJSON) -> int:
    own = sum(r.mode == "managed" and r.deposed_key is None for r in module.resources)
    return own + sum(map(_count_managed, module.child_modules))
