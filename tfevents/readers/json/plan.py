"""`show -json PLANFILE` → Plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tfevents.readers.json.documents import (
    ABSENT,
    DriftJSON,
    ModuleJSON,
    PlanJSON,
    Raw,
    ResourceChangeJSON,
    ResourceJSON,
    SidesJSON,
    StateJSON,
    check_version,
    decode,
    decode_many,
    parse_value,
)
from tfevents.readers.json.streaming import Cursor, Read, prepend, read_up_to
from tfevents.terraform.arguments import Mode
from tfevents.terraform.plan import UPDATE, Change, Drift, OutputChange, Plan
from tfevents.terraform.values import digest_value, drop_empty

T = TypeVar("T")
LARGE = 8 << 20
"""Bytes from which on a document is not held."""
BEGINNING = b'{"format_version"'
SCALARS = frozenset({"format_version", "terraform_version", "applyable", "complete", "errored"})


def parse_plan(data: bytes, mode: Mode | None = None) -> Plan:
    """The plan in `data`; `mode` is what the caller knows, since this JSON does not say.

    Raises UnreadableDocument.
    """
    document = decode(data, PlanJSON, "plan JSON")
    check_version(document.format_version, "this plan JSON")
    drift = document.resource_drift
    return Plan(
        format_version=document.format_version,
        terraform_version=document.terraform_version,
        changes=tuple(map(_make_change, document.resource_changes or ())),
        drift=None if drift is None else tuple(map(_make_drift, drift)),
        outputs={
            name: _make_output_change(sides)
            for name, sides in (document.output_changes or {}).items()
        },
        mode=mode,
        applyable=document.applyable,
        complete=document.complete,
        errored=document.errored,
        managed=_count_prior_objects(document),
    )


def read_plan_json(read: Read, mode: Mode | None = None) -> Plan:
    """As `parse`, of a document that comes piece by piece: a large one is not held."""
    head = read_up_to(LARGE, read)
    if len(head) < LARGE:
        return parse_plan(head, mode)
    start = max(0, head.find(BEGINNING))  # a cloud backend's retries come before it
    return stream_plan_json(prepend(head[start:], read), mode)


def stream_plan_json(
    read: Read,
    mode: Mode | None = None,
    keep: Callable[[Change], Change] = lambda change: change,
) -> Plan:
    """As `parse`, of JSON of any size: what is not needed is not held. `keep` says what is kept of
    a change. Raises UnreadableDocument.
    """
    cursor = Cursor(read)
    head: list[bytes] = []
    changes: list[Change] = []
    drift: list[Drift] = []
    outputs: dict[str, OutputChange] = {}
    managed, drifted = 0, False
    for name in cursor.members():
        if not cursor.opens():
            value = cursor.take()
            head += [b'"%b":%b' % (name.encode(), value)] if name in SCALARS else []
        elif name == "resource_changes":
            _decode_each(
                cursor, ResourceChangeJSON, lambda entry: changes.append(keep(_make_change(entry)))
            )
        elif name == "resource_drift":
            drifted = True
            _decode_each(cursor, DriftJSON, lambda entry: drift.append(_make_drift(entry)))
        elif name == "output_changes":
            for output in cursor.members():
                outputs[output] = _make_output_change(decode(cursor.take(), SidesJSON, "plan JSON"))
        elif name == "prior_state" and not changes:
            managed = _count_streamed_objects(cursor)
        else:
            cursor.skip()
    cursor.end()
    told = decode(b"{%b}" % b",".join(head), PlanJSON, "plan JSON")
    check_version(told.format_version, "this plan JSON")
    return Plan(
        format_version=told.format_version,
        terraform_version=told.terraform_version,
        changes=tuple(changes),
        drift=tuple(drift) if drifted else None,
        outputs=outputs,
        mode=mode,
        applyable=told.applyable,
        complete=told.complete,
        errored=told.errored,
        managed=managed,
    )


def _decode_each(cursor: Cursor, kind: type[T], take: Callable[[T], None]) -> None:
    """Every element of an array; terraform's begin with their address."""

    def decoded(batch: bytes) -> bool:
        found = decode_many(batch, kind)
        for element in found or ():
            take(element)
        return found is not None

    cursor.batches(b'},{"address":', decoded)


def _count_streamed_objects(cursor: Cursor) -> int:
    """As `_count_prior_objects`, of a prior state that is just being read."""
    count = 0
    for name in cursor.members():
        if name in ("values", "root_module") and cursor.opens():
            count += _count_streamed_objects(cursor)
        elif name == "child_modules" and cursor.opens():
            count += sum(_count_streamed_objects(cursor) for _ in cursor.elements())
        elif name == "resources" and cursor.opens():
            count += _count_elements(cursor)
        else:
            cursor.skip()
    return count


def _count_elements(cursor: Cursor) -> int:
    found: list[bool] = []
    _decode_each(cursor, ResourceJSON, lambda resource: found.append(_is_managed(resource)))
    return sum(found)


def _make_change(entry: ResourceChangeJSON) -> Change:
    actions = frozenset(entry.change.actions)
    return Change(
        address=entry.address,
        mode=entry.mode,
        actions=actions,
        importing=entry.change.importing is not None,
        previous_address=entry.previous_address,
        deposed=entry.deposed,
        unknown=actions == UPDATE and _marks_unknown(entry.change.after_unknown),
    )


def _marks_unknown(marks: Raw) -> bool:
    """Whether `after_unknown` marks anything; a name like "is_true" in it may say so in vain."""
    return b"true" in bytes(marks)


def _make_drift(entry: DriftJSON) -> Drift:
    return Drift(frozenset(entry.change.actions), _differs(entry.change))


def _differs(sides: SidesJSON) -> bool:
    """Whether anything is left of a difference once empty values are dropped (semantics §2)."""
    if bytes(sides.before) == bytes(sides.after):
        return False
    return bool(drop_empty(parse_value(sides.before)) != drop_empty(parse_value(sides.after)))


def _make_output_change(sides: SidesJSON) -> OutputChange:
    unknown = _marks_unknown(sides.after_unknown)
    absent = bytes(sides.before) == bytes(ABSENT)
    return OutputChange(
        actions=frozenset(sides.actions),
        null=absent and bytes(sides.after) == bytes(ABSENT) and not unknown,
        unknown=unknown,
        before=None
        if bytes(sides.before) == bytes(ABSENT)
        else digest_value(parse_value(sides.before)),
    )


def _count_prior_objects(document: PlanJSON) -> int:
    """Current managed objects of the prior state; only looked at where there are no changes."""
    if document.resource_changes or bytes(document.prior_state) == bytes(ABSENT):
        return 0
    state = decode(bytes(document.prior_state), StateJSON, "plan JSON with a prior state")
    root = state.values.root_module if state.values else None
    return _count_managed(root) if root else 0


def _count_managed(module: ModuleJSON) -> int:
    own = sum(map(_is_managed, module.resources))
    return own + sum(map(_count_managed, module.child_modules))


def _is_managed(resource: ResourceJSON) -> bool:
    return resource.mode == "managed" and resource.deposed_key is None
