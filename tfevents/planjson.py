"""`show -json PLANFILE` → Plan."""

from __future__ import annotations

import hashlib
import json
from typing import Any

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
from tfevents.errors import UnreadableDocument
from tfevents.plan import Change, Drift, Mode, OutputChange, Plan


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
    return Change(
        address=entry.address,
        mode=entry.mode,
        actions=frozenset(entry.change.actions),
        importing=entry.change.importing is not None,
        previous_address=entry.previous_address,
        deposed=entry.deposed,
        unknown=_unknown(entry.change.after_unknown),
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


def filled(value: Any) -> Any:
    """`value` without its empty parts: None, "", [] and {} are one and the same nothing.

    Raises UnreadableDocument.
    """
    try:
        return _filled(value)
    except RecursionError:
        raise UnreadableDocument("a value in it is nested too deeply") from None


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _filled(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None} or None
    if isinstance(value, list):
        items = [_filled(item) for item in value]
        return None if all(item is None for item in items) else items
    return None if value == "" else value


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


def digest_plain(value: Any) -> bytes:
    """As `digest`, of what `plain` made of a value."""
    try:
        return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
    except RecursionError:
        raise UnreadableDocument("a value in it is nested too deeply") from None


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
