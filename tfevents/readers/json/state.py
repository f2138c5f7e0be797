"""What terraform writes of a state → State: `state pull`, `show -json`."""

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
from tfevents.terraform.state import Key, State, StateObject, literal
from tfevents.terraform.values import digest, digest_value, drop_empty

NEXT_RESOURCE = b'},{"address":'
"""What stands between two resources that are shown."""
DEEPEST = 100
"""Modules in modules; each costs stack."""


def parse_state(data: bytes) -> State:
    """A state in either form: a state file (`state pull`) or `show -json` of a state.

    Raises UnreadableDocument.
    """
    return parse_state_file(data) if "lineage" in list_members(data) else parse_shown_state(data)


def is_state(data: bytes) -> bool:
    """Whether this JSON is a state rather than a plan; an empty shown state has only a version."""
    names = list_members(data)
    if not names & {"format_version", "lineage"}:
        raise UnreadableDocument(
            "this JSON is no plan and no state: it has neither format_version nor lineage"
        )
    return "lineage" in names or not names & (PLAN_MEMBERS - EMPTY_STATE)


def parse_state_file(data: bytes) -> State:
    """What `state pull` printed: the stored file and one more newline, check results in any order.

    Raises UnreadableDocument.
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
    """sha-256 of the stored file; of one with two check results or more, of what they are in order,
    for each `state pull` prints them in another one."""
    ordered = _sort_checks(decode_many(checks, dict[str, Any]) or [])
    stored = data.removesuffix(b"\n")
    return sha256(stored.replace(checks, ordered) if ordered else stored).hexdigest()


def _sort_checks(results: list[dict[str, Any]]) -> bytes | None:
    """Compact JSON; None where they can only be in one order."""
    free = len(results) > 1
    for result in results:
        objects = result.get("objects")
        if isinstance(objects, list) and len(objects) > 1:
            result["objects"] = sorted(objects, key=encode)
            free = True
    return encode(sorted(results, key=encode)) if free else None


def _list_file_objects(resources: list[StateResourceJSON]) -> Iterator[tuple[Key, StateObject]]:
    for resource in resources:
        for instance in resource.instances if resource.mode == "managed" else ():
            key = (_make_address(resource, instance), instance.deposed)
            values = compact_json(instance.attributes) + compact_json(instance.attributes_flat)
            tainted = instance.status == "tainted"
            yield key, StateObject(digest(values), tainted, _digest_nonempty(instance))


def _digest_nonempty(instance: InstanceJSON) -> bytes:
    """Of the attributes without their empty values."""
    values = [parse_value(raw) for raw in (instance.attributes, instance.attributes_flat)]
    return digest_value(drop_empty(values))


def _make_address(resource: StateResourceJSON, instance: InstanceJSON) -> str:
    address = f"{resource.type}.{resource.name}"
    if resource.module:
        address = f"{literal(resource.module)}.{address}"
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
    """What `show -json` printed of a state; without values it is empty."""
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


def _list_shown_objects(module: ModuleJSON) -> Iterator[tuple[Key, StateObject]]:
    for resource in module.resources:
        if resource.mode == "managed":
            yield (literal(resource.address), resource.deposed_key), _make_shown_object(resource)
    for child in module.child_modules:
        yield from _list_shown_objects(child)


def _make_shown_object(resource: ResourceJSON) -> StateObject:
    return StateObject(digest(compact_json(resource.values)), resource.tainted)


def measure_shown_state(read: Read) -> StateSize:
    """The size of what `show -json` writes of a state. Raises UnreadableDocument."""
    cursor, size = Cursor(read), StateSize()
    for name in cursor.members():
        if name == "values" and cursor.opens():
            _measure_values(cursor, size)
        elif name == "format_version" and not cursor.opens():
            size.version = parse_text(cursor.take())
        elif name == "terraform_version" and not cursor.opens():
            size.terraform_version = parse_text(cursor.take())
        else:
            cursor.skip()
    cursor.end()
    return size


def _measure_values(cursor: Cursor, size: StateSize) -> None:
    for name in cursor.members():
        if name == "outputs" and cursor.opens():
            size.outputs += sum(1 for _ in cursor.skipped_members())
        elif name == "root_module" and cursor.opens():
            size.managed += count_shown_objects(cursor)
        else:
            cursor.skip()


def count_shown_objects(cursor: Cursor, depth: int = 0) -> int:
    """The current managed objects of what begins here: a module, or the `values` or the state
    around the root module. Raises UnreadableDocument."""
    if depth > DEEPEST:
        raise UnreadableDocument(f"it has modules in more than {DEEPEST} others")
    count = 0
    for name in cursor.members():
        if name in ("values", "root_module") and cursor.opens():
            count += count_shown_objects(cursor, depth + 1)
        elif name == "child_modules" and cursor.opens():
            count += sum(count_shown_objects(cursor, depth + 1) for _ in cursor.elements())
        elif name == "resources" and cursor.opens():
            count += sum(map(_is_current, cursor.decoded(NEXT_RESOURCE, _parse_resources)))
        else:
            cursor.skip()
    return count


def _is_current(resource: ResourceJSON) -> bool:
    return resource.mode == "managed" and resource.deposed_key is None


def _parse_resources(array: bytes) -> list[ResourceJSON] | None:
    return decode_many(array, ResourceJSON)
