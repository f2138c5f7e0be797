"""A small state file → State, with the standard library's decoder, which is awake.

msgspec, which `statejson` has for large ones, takes longer to wake than this one to be read. The
digests of the two don't compare.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from tfevents.errors import UnreadableDocument
from tfevents.terraform.state import Key, State, StateObject, literal
from tfevents.terraform.values import digest_plain, filled

ATTRIBUTES = ("attributes", "attributes_flat")
SMALL = 1 << 17
"""Bytes of a state that is quicker read than msgspec is woken."""


def look(data: bytes) -> State:
    """As `statejson.parse_file`. Raises UnreadableDocument."""
    try:
        document = json.loads(data, parse_int=_number, parse_float=_number, parse_constant=_number)
        return _state(document, data)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise UnreadableDocument("this is not a state file of version 4") from None


def _state(document: Mapping[str, Any], data: bytes) -> State:
    if document["version"] != _number("4"):
        raise ValueError
    outputs = document.get("outputs") or {}
    return State(
        objects=dict(_objects(document.get("resources") or [])),
        outputs={name: digest_plain(output.get("value")) for name, output in outputs.items()},
        stored_outputs={name: digest_plain(output) for name, output in outputs.items()},
        terraform_version=document.get("terraform_version"),
        serial=_whole(document["serial"]),
        lineage=str(document["lineage"]),
        checksum=sha256(data.removesuffix(b"\n")).hexdigest(),
    )


def _objects(resources: list[Mapping[str, Any]]) -> Iterator[tuple[Key, StateObject]]:
    for resource in resources:
        if resource.get("mode", "managed") == "managed":
            module = resource.get("module")
            address = f"{resource['type']}.{resource['name']}"
            whole = f"{literal(module)}.{address}" if module else address
            for instance in resource.get("instances") or ():
                key = whole + _index(instance.get("index_key")), instance.get("deposed")
                values = [instance.get(name) for name in ATTRIBUTES]
                tainted = instance.get("status") == "tainted"
                yield key, StateObject(digest_plain(values), tainted, digest_plain(filled(values)))


def _index(key: Any) -> str:
    if key is None:
        return ""
    return f'["{key}"]' if isinstance(key, str) else f"[{_whole(key)}]"


def _whole(number: Any) -> int:
    """What `_number` keeps of a whole one; a text is none."""
    if not isinstance(number, tuple):
        raise TypeError
    return int(number[1])


def _number(text: str) -> tuple[str, str]:
    """A number keeps its text, as in `document.plain`."""
    return ("number", text)
