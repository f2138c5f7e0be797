"""Parses the output of `show -json PLANFILE` into a Plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import TypeVar

from msgspec import Struct

from tfevents.readers.json.documents import (
    ABSENT,
    DriftJSON,
    ModuleJSON,
    PlanJSON,
    Raw,
    ResourceChangeJSON,
    StateJSON,
    ValueChangeJSON,
    check_version,
    cut_beginning,
    decode,
    decode_many,
    parse_value,
)
from tfevents.readers.json.state import count_shown_objects, is_current_managed
from tfevents.readers.streaming import Cursor, Read, prepend, read_up_to
from tfevents.readers.utf8 import read_as_utf8
from tfevents.terraform.arguments import Mode
from tfevents.terraform.plan import UPDATE, Change, Drift, OutputChange, Plan
from tfevents.terraform.values import digest_value, drop_empty

T = TypeVar("T")
LARGE = 8 << 20
"""Documents of this many bytes or more are streamed, not held in memory."""
SCALARS = frozenset({"format_version", "terraform_version", "applyable", "complete", "errored"})


def parse_plan(data: bytes, mode: Mode | None = None) -> Plan:
    """The plan in `data`. `mode` is set by the caller, since plan JSON does not contain it.

    Raises UnreadableDocument.
    """
    document = decode(data, PlanJSON, "plan JSON")
    drift, outputs = document.resource_drift, document.output_changes or {}
    parts = PlanParts(
        changes=[_make_change(entry) for entry in document.resource_changes or ()],
        drift=None if drift is None else [_make_drift(entry) for entry in drift],
        outputs={name: _make_output_change(change) for name, change in outputs.items()},
        managed=_count_prior_objects(document),
    )
    return _make_plan(document, parts, mode)


def read_plan_json(read: Read, mode: Mode | None = None) -> Plan:
    """As `parse_plan`, of the document that `read` returns; a large one is streamed."""
    read = read_as_utf8(read)
    head = read_up_to(LARGE, read)
    if len(head) < LARGE:
        return parse_plan(head, mode)
    return stream_plan_json(prepend(cut_beginning(head), read), mode)


def stream_plan_json(
    read: Read,
    mode: Mode | None = None,
    keep: Callable[[Change], Change] | None = None,
) -> Plan:
    """As `parse_plan`, of JSON of any size: only the parts that a Plan needs are held in memory.

    `keep` replaces each change by the object to keep. Raises UnreadableDocument.
    """
    cursor, parts = Cursor(read), PlanParts()
    for name in cursor.members():
        if cursor.is_at_container():
            _read_part(name, cursor, parts, keep)
        else:
            _read_scalar(name, cursor, parts)
    cursor.expect_end()
    head = decode(b"{%b}" % b",".join(parts.scalars), PlanJSON, "plan JSON")
    return _make_plan(head, parts, mode)


class PlanParts(Struct):
    """The parts of a plan read so far.

    `scalars`: the members in SCALARS as written; only of a streamed plan.
    """

    changes: list[Change] = []
    drift: list[Drift] | None = None
    outputs: dict[str, OutputChange] = {}
    managed: int = 0
    scalars: list[bytes] = []


def _read_scalar(name: str, cursor: Cursor, parts: PlanParts) -> None:
    value = cursor.take()
    if name in SCALARS:
        parts.scalars.append(b'"%b":%b' % (name.encode(), value))


def _read_part(
    name: str, cursor: Cursor, parts: PlanParts, keep: Callable[[Change], Change] | None
) -> None:
    """Reads or skips a member that is an object or an array."""
    if name == "resource_changes":
        for change in _iterate(cursor, ResourceChangeJSON):
            made = _make_change(change)
            parts.changes.append(keep(made) if keep else made)
    elif name == "resource_drift":
        parts.drift = [_make_drift(entry) for entry in _iterate(cursor, DriftJSON)]
    elif name == "output_changes":
        for output, value_change in cursor.decoded_members(b'},"', _decode_outputs):
            parts.outputs[output] = _make_output_change(value_change)
    elif name == "prior_state" and not parts.changes:
        parts.managed = count_shown_objects(cursor)
    else:
        cursor.skip()


def _make_plan(head: PlanJSON, parts: PlanParts, mode: Mode | None) -> Plan:
    check_version(head.format_version, "this plan JSON")
    return Plan(
        format_version=head.format_version,
        terraform_version=head.terraform_version,
        changes=tuple(parts.changes),
        drift=None if parts.drift is None else tuple(parts.drift),
        outputs=parts.outputs,
        mode=mode,
        applyable=head.applyable,
        complete=head.complete,
        errored=head.errored,
        managed=0 if parts.changes else parts.managed,  # the changes may follow the state
    )


def _iterate(cursor: Cursor, kind: type[T]) -> Iterator[T]:
    """The elements of an array, decoded; in terraform's output each starts with its address."""
    return cursor.decoded(b'},{"address":', partial(decode_many, kind=kind))


def _decode_outputs(members: bytes) -> list[tuple[str, ValueChangeJSON]] | None:
    """The names and changes of outputs in a JSON object; None if it is no object of these."""
    found = decode_many(b"[%b]" % members, dict[str, ValueChangeJSON])
    return [*found[0].items()] if found else None


@lru_cache(maxsize=64)
def _make_actions(names: tuple[str, ...]) -> frozenset[str]:
    """A set of actions, shared by all entries with these actions, since a set takes much memory."""
    return frozenset(names)


def _make_change(entry: ResourceChangeJSON) -> Change:
    actions = _make_actions(entry.change.actions)
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
    """Whether `after_unknown` marks anything; also True if a name in it contains "true"."""
    return b"true" in bytes(marks)


def _make_drift(entry: DriftJSON) -> Drift:
    return Drift(_make_actions(entry.change.actions), _differs(entry.change))


def _differs(change: ValueChangeJSON) -> bool:
    """Whether the values before and after differ once empty values are dropped."""
    if bytes(change.before) == bytes(change.after):
        return False
    return bool(drop_empty(parse_value(change.before)) != drop_empty(parse_value(change.after)))


def _make_output_change(change: ValueChangeJSON) -> OutputChange:
    unknown = _marks_unknown(change.after_unknown)
    absent = bytes(change.before) == bytes(ABSENT)
    return OutputChange(
        actions=_make_actions(change.actions),
        null=absent and bytes(change.after) == bytes(ABSENT) and not unknown,
        unknown=unknown,
        before=None
        if bytes(change.before) == bytes(ABSENT)
        else digest_value(parse_value(change.before)),
    )


def _count_prior_objects(document: PlanJSON) -> int:
    """The number of current managed objects in the prior state; 0 if the plan has changes."""
    if document.resource_changes or bytes(document.prior_state) == bytes(ABSENT):
        return 0
    state = decode(bytes(document.prior_state), StateJSON, "plan JSON with a prior state")
    root = state.values.root_module if state.values else None
    return _count_managed(root) if root else 0


def _count_managed(module: ModuleJSON) -> int:
    own = sum(map(is_current_managed, module.resources))
    return own + sum(map(_count_managed, module.child_modules))
