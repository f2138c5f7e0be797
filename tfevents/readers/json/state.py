"""Parses the output of `state pull`, and of `show -json` of a state, into a State."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from msgspec.json import encode

from tfevents.errors import UnreadableDocument
from tfevents.readers.json.documents import (
    EMPTY_STATE,
    PLAN_MEMBERS,
    InstanceJSON,
    ModuleJSON,
    OutputJSON,
    ResourceJSON,
    StateFileJSON,
    StateJSON,
    StateResourceJSON,
    check_version,
    compact_json,
    decode,
    decode_many,
    list_members,
    parse_value,
)
from tfevents.readers.state_size import StateSize, parse_text
from tfevents.readers.streaming import Cursor, Read
from tfevents.terraform.state import ObjectKey, State, StateObject, unescape_address
from tfevents.terraform.values import digest, digest_value, drop_empty

NEXT_RESOURCE = b'},{"address":'
"""The bytes between two resources in `show -json`."""
DEEPEST = 100
"""The deepest nesting of modules; each level takes space on the stack."""


def parse_state(data: bytes) -> State:
    """Parses a state in either form: a state file (`state pull`) or `show -json` of a state.

    Raises UnreadableDocument.
    """
    return parse_state_file(data) if "lineage" in list_members(data) else parse_shown_state(data)


def is_state(data: bytes) -> bool:
    """Whether this JSON is a state rather than a plan. Raises UnreadableDocument if it is neither.

    `show -json` of an empty state has only a version.
    """
    names = list_members(data)
    if not names & {"format_version", "lineage"}:
        raise UnreadableDocument(
            "this JSON is no plan and no state: it has neither format_version nor lineage"
        )
    return "lineage" in names or not names & (PLAN_MEMBERS - EMPTY_STATE)


def parse_state_file(data: bytes) -> State:
    """Parses the output of `state pull`: the stored state file and one more newline.

    `state pull` prints check results in any order. Raises UnreadableDocument.
    """
    document = decode(data, StateFileJSON, "a state file")
    if document.version != 4:
        raise UnreadableDocument(
            f"this state file has version {document.version}, this tfevents knows 4"
        )
    return State(
        objects=dict(_list_file_objects(document.resources or [])),
        outputs=_digest_outputs(document.outputs or {}),
        stored_outputs=_digest_stored_outputs(document.outputs or {}),
        terraform_version=document.terraform_version,
        serial=document.serial,
        lineage=document.lineage,
        checksum=_digest_file(data, bytes(document.check_results)),
    )


def _digest_file(data: bytes, checks: bytes) -> str:
    """The SHA-256 of the stored state file, in hex.

    If there are several check results, they are sorted first: each `state pull` prints them in
    another order.
    """
    ordered = _sort_checks(decode_many(checks, dict[str, Any]) or [])
    stored = data.removesuffix(b"\n")
    return sha256(stored.replace(checks, ordered) if ordered else stored).hexdigest()


def _sort_checks(results: list[dict[str, Any]]) -> bytes | None:
    """The sorted check results as compact JSON; None if only one order is possible."""
    free = len(results) > 1
    for result in results:
        objects = result.get("objects")
        if isinstance(objects, list) and len(objects) > 1:
            result["objects"] = sorted(objects, key=encode)
            free = True
    return encode(sorted(results, key=encode)) if free else None


def _list_file_objects(
    resources: list[StateResourceJSON],
) -> Iterator[tuple[ObjectKey, StateObject]]:
    for resource in resources:
        for instance in resource.instances if resource.mode == "managed" else ():
            key = (_make_address(resource, instance), instance.deposed)
            values = compact_json(instance.attributes) + compact_json(instance.attributes_flat)
            tainted = instance.status == "tainted"
            yield key, StateObject(digest(values), tainted, _digest_nonempty(instance))


def _digest_nonempty(instance: InstanceJSON) -> bytes:
    """A digest of the attributes without their empty values."""
    values = [parse_value(raw) for raw in (instance.attributes, instance.attributes_flat)]
    return digest_value(drop_empty(values))


def _make_address(resource: StateResourceJSON, instance: InstanceJSON) -> str:
    address = f"{resource.type}.{resource.name}"
    if resource.module:
        address = f"{unescape_address(resource.module)}.{address}"
    key = instance.index_key
    if key is None:
        return address
    return f"{address}[{key}]" if isinstance(key, int) else f'{address}["{key}"]'


def _digest_stored_outputs(outputs: Mapping[str, OutputJSON]) -> dict[str, bytes]:
    return {
        name: digest(b"".join(map(compact_json, (output.value, output.type, output.sensitive))))
        for name, output in outputs.items()
    }


def _digest_outputs(outputs: Mapping[str, OutputJSON]) -> dict[str, bytes]:
    return {name: digest_value(parse_value(output.value)) for name, output in outputs.items()}


def parse_shown_state(data: bytes) -> State:
    """Parses the output of `show -json` of a state; an empty state has no values.

    Raises UnreadableDocument.
    """
    document = decode(data, StateJSON, "state JSON")
    check_version(document.format_version, "this state JSON")
    values = document.values
    root = values.root_module if values else None
    return State(
        objects=dict(_list_shown_objects(root)) if root else {},
        outputs=_digest_outputs(values.outputs) if values else {},
        terraform_version=document.terraform_version,
        format_version=document.format_version,
    )


def _list_shown_objects(module: ModuleJSON) -> Iterator[tuple[ObjectKey, StateObject]]:
    for resource in module.resources:
        if resource.mode == "managed":
            key = (unescape_address(resource.address), resource.deposed_key)
            yield key, _make_shown_object(resource)
    for child in module.child_modules:
        yield from _list_shown_objects(child)


def _make_shown_object(resource: ResourceJSON) -> StateObject:
    return StateObject(digest(compact_json(resource.values)), resource.tainted)


def measure_shown_state(read: Read) -> StateSize:
    """The size of a state from the output of `show -json`. Raises UnreadableDocument."""
    cursor, size = Cursor(read), StateSize()
    for name in cursor.members():
        if name == "values" and cursor.is_at_container():
            _measure_values(cursor, size)
        elif name == "format_version" and not cursor.is_at_container():
            size.version = parse_text(cursor.take())
        elif name == "terraform_version" and not cursor.is_at_container():
            size.terraform_version = parse_text(cursor.take())
        else:
            cursor.skip()
    cursor.expect_end()
    return size


def _measure_values(cursor: Cursor, size: StateSize) -> None:
    for name in cursor.members():
        if name == "outputs" and cursor.is_at_container():
            size.outputs += sum(1 for _ in cursor.skipped_members())
        elif name == "root_module" and cursor.is_at_container():
            size.managed += count_shown_objects(cursor)
        else:
            cursor.skip()


def count_shown_objects(cursor: Cursor, depth: int = 0) -> int:
    """The number of current managed objects in the JSON object at the cursor.

    The object is a module, or the `values` or the state that contain the root module. Raises
    UnreadableDocument.
    """
    if depth > DEEPEST:
        raise UnreadableDocument(f"it has modules in more than {DEEPEST} others")
    count = 0
    for name in cursor.members():
        if name in ("values", "root_module") and cursor.is_at_container():
            count += count_shown_objects(cursor, depth + 1)
        elif name == "child_modules" and cursor.is_at_container():
            count += sum(count_shown_objects(cursor, depth + 1) for _ in cursor.elements())
        elif name == "resources" and cursor.is_at_container():
            count += sum(map(is_current_managed, cursor.decoded(NEXT_RESOURCE, _parse_resources)))
        else:
            cursor.skip()
    return count


def is_current_managed(resource: ResourceJSON) -> bool:
    """Whether this is a managed object, and its resource's current one, not a deposed one."""
    return resource.mode == "managed" and resource.deposed_key is None


def _parse_resources(array: bytes) -> list[ResourceJSON] | None:
    return decode_many(array, ResourceJSON)
