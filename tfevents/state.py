"""What a state holds: which objects and outputs, whose serial, and no value of any of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

from tfevents.document import (
    InstanceJSON,
    KindJSON,
    ModuleJSON,
    OutputJSON,
    ResourceJSON,
    StateFileJSON,
    StateJSON,
    StateResourceJSON,
    check_version,
    compact,
    decode,
)
from tfevents.errors import UnreadableDocument
from tfevents.planjson import digest
from tfevents.record import dataclass, field

Key = tuple[str, str | None]
"""An object's address, as `literal` makes it, and, for a deposed object, its key."""

Identity = tuple[int, str]
"""Serial and lineage: what terraform itself knows a stored state by."""

NEVER_WRITTEN: Identity = (0, "")
"""Where there is no state; a plan made then says so of its prior state."""

ESCAPED = re.compile(r'\\(?:([nrt"\\])|u([0-9a-f]{4})|U([0-9a-f]{8}))|([$%])\4\{')
WRITTEN = {"n": "\n", "r": "\r", "t": "\t"}


def literal(address: str) -> str:
    """An address with its keys as they are, not as HCL quotes them (addrs.toHCLQuotedString).

    What has to be quoted depends on the Unicode version that terraform was built with, so
    addresses from two sources only compare without it.
    """
    return ESCAPED.sub(_literal, address) if "\\" in address or "{" in address else address


def _literal(found: re.Match[str]) -> str:
    simple, short, long, mark = found.groups()
    if mark:
        return f"{mark}{{"
    return WRITTEN.get(simple, simple) if simple else chr(int(short or long, 16))


@dataclass(frozen=True, slots=True)
class StateObject:
    """A managed object: a digest of its values, which only compares within one form of state."""

    values: bytes
    tainted: bool = False


@dataclass(frozen=True)
class State:
    """`serial`, `lineage` and `checksum` are only known of a pulled state (a state file).

    `checksum`: sha-256 of the state file, lower-case hex (semantics §6).
    """

    objects: Mapping[Key, StateObject] = field(default_factory=dict)
    outputs: Mapping[str, bytes] = field(default_factory=dict)
    terraform_version: str | None = None
    format_version: str | None = None
    serial: int | None = None
    lineage: str | None = None
    checksum: str | None = None

    @property
    def identity(self) -> Identity:
        """Which state this is, as it was stored."""
        return (self.serial or 0, self.lineage or "")

    @property
    def empty(self) -> bool:
        """No managed object and no output: data sources are nothing that anyone has to destroy."""
        return not self.objects and not self.outputs

    @property
    def managed(self) -> int:
        """How many current (not deposed) managed objects there are."""
        return sum(deposed is None for _, deposed in self.objects)

    @property
    def tainted(self) -> int:
        """How many objects wait to be replaced because their creation failed."""
        return sum(state_object.tainted for state_object in self.objects.values())


def parse(data: bytes) -> State:
    """A state in either form: a state file (`state pull`) or `show -json` of a state.

    Raises UnreadableDocument.
    """
    kind = decode(data, KindJSON, "a state")
    return parse_file(data) if kind.lineage is not None else parse_shown(data)


def is_state(data: bytes) -> bool:
    """Whether this JSON is a state rather than a plan; an empty shown state has only a version."""
    kind = decode(data, KindJSON, "plan or state JSON")
    planned = any(map(bytes, (kind.planned_values, kind.configuration, kind.resource_changes)))
    if kind.format_version is None and kind.lineage is None:
        raise UnreadableDocument(
            "this JSON is no plan and no state: it has neither format_version nor lineage"
        )
    return kind.lineage is not None or not planned


def parse_file(data: bytes) -> State:
    """What `state pull` printed: the stored file and one more newline (semantics §6)."""
    document = decode(data, StateFileJSON, "a state file")
    if document.version != 4:
        raise UnreadableDocument(
            f"this state file has version {document.version}, this tfevents knows 4"
        )
    return State(
        objects=dict(_file_objects(document.resources or [])),
        outputs=_outputs(document.outputs or {}),
        terraform_version=document.terraform_version,
        serial=document.serial,
        lineage=document.lineage,
        checksum=hashlib.sha256(data.removesuffix(b"\n")).hexdigest(),
    )


def _file_objects(resources: list[StateResourceJSON]) -> Iterator[tuple[Key, StateObject]]:
    for resource in resources:
        for instance in resource.instances if resource.mode == "managed" else ():
            key = (_address(resource, instance), instance.deposed)
            values = compact(instance.attributes) + compact(instance.attributes_flat)
            yield key, StateObject(_digest(values), instance.status == "tainted")


def _address(resource: StateResourceJSON, instance: InstanceJSON) -> str:
    address = f"{resource.type}.{resource.name}"
    if resource.module:
        address = f"{literal(resource.module)}.{address}"
    key = instance.index_key
    if key is None:
        return address
    return f"{address}[{key}]" if isinstance(key, int) else f'{address}["{key}"]'


def _outputs(outputs: Mapping[str, OutputJSON]) -> dict[str, bytes]:
    return {name: digest(output.value) for name, output in outputs.items()}


def parse_shown(data: bytes) -> State:
    """What `show -json` printed of a state; without values it is empty."""
    document = decode(data, StateJSON, "state JSON")
    check_version(document.format_version, "this state JSON")
    values = document.values
    root = values.root_module if values else None
    return State(
        objects=dict(_shown_objects(root)) if root else {},
        outputs=_outputs(values.outputs) if values else {},
        terraform_version=document.terraform_version,
        format_version=document.format_version,
    )


def _shown_objects(module: ModuleJSON) -> Iterator[tuple[Key, StateObject]]:
    for resource in module.resources:
        if resource.mode == "managed":
            yield (literal(resource.address), resource.deposed_key), _shown(resource)
    for child in module.child_modules:
        yield from _shown_objects(child)


def _shown(resource: ResourceJSON) -> StateObject:
    return StateObject(_digest(compact(resource.values)), resource.tainted)


def _digest(values: bytes) -> bytes:
    return hashlib.sha256(values).digest()
