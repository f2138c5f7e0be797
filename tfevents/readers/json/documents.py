"""The JSON that terraform writes, as types: what is not named here is skipped, never built.

Names are terraform's own (`internal/command/jsonplan`, `jsonstate`, `states/statefile`). Values
stay `Raw`: slices of the input that only live as long as it does.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Annotated, Any, TypeVar

import msgspec

from tfevents.errors import UnreadableDocument
from tfevents.readers.decoders import find_decoder

Struct = msgspec.Struct
Raw = msgspec.Raw
Meta = msgspec.Meta
T = TypeVar("T")

ABSENT = Raw(b"null")
LARGEST, MOST_PARTS = 4 << 20, 1_000_000
"""Bytes, and commas, of a value that is built: as Python objects each part takes some 100 bytes."""
OPENED = re.compile(rb"^(\{|\[\s*\{)", re.M)
VERSIONED = re.compile(rb'^[ \t]*(\{|\[\s*\{)\s*"format_version"', re.M)
"""Where a line opens a document or an array of them, and where it does so for terraform."""

Actions = Annotated[tuple[str, ...], Meta(min_length=1)]
"""What is done about an object; an entry without any would count as nothing."""

PLAN_MEMBERS = frozenset(
    {
        *("format_version", "terraform_version", "variables", "planned_values", "resource_drift"),
        *("resource_changes", "deferred_changes", "output_changes", "prior_state", "configuration"),
        *("relevant_attributes", "checks", "timestamp", "applyable", "complete", "errored"),
        *("action_invocations", "deferred_action_invocations"),
    }
)
"""What plan JSON holds; one that failed before it planned has no more than that it did."""

EMPTY_STATE = frozenset({"format_version", "terraform_version", "checks"})
"""What `show -json` of a state holds beside its `values`."""


class ChangeJSON(Struct, gc=False):
    """`change` of a resource: the actions, whether it is imported, what is not known yet."""

    actions: Actions
    importing: dict[str, Raw] | None = None
    after_unknown: Raw = ABSENT


class ResourceChangeJSON(Struct, gc=False):
    """An element of `resource_changes`."""

    change: ChangeJSON
    address: str = ""
    mode: str = "managed"
    previous_address: str | None = None
    deposed: str | None = None


class SidesJSON(Struct, gc=False):
    """`change` where the two sides are needed: of a drift, of an output."""

    actions: Actions
    before: Raw = ABSENT
    after: Raw = ABSENT
    after_unknown: Raw = ABSENT


class DriftJSON(Struct, gc=False):
    """An element of `resource_drift`."""

    change: SidesJSON
    mode: str = "managed"


class PlanJSON(Struct, gc=False):
    """`show -json PLANFILE`. Everything but the version may be missing (Go's omitempty)."""

    format_version: str
    terraform_version: str | None = None
    resource_changes: list[ResourceChangeJSON] | None = None
    resource_drift: list[DriftJSON] | None = None
    output_changes: dict[str, SidesJSON] | None = None
    prior_state: Raw = ABSENT
    applyable: bool | None = None
    complete: bool | None = None
    errored: bool | None = None


class ResourceJSON(Struct, gc=False):
    """A resource object of `show -json`."""

    address: str = ""
    mode: str = "managed"
    values: Raw = ABSENT
    tainted: bool = False
    deposed_key: str | None = None


class ModuleJSON(Struct, gc=False):
    """`root_module` or one of `child_modules`."""

    resources: list[ResourceJSON] = []
    child_modules: list[ModuleJSON] = []


class OutputJSON(Struct, gc=False):
    """An output in a state, in either form."""

    value: Raw = ABSENT
    type: Raw = ABSENT
    sensitive: Raw = ABSENT


class ValuesJSON(Struct, gc=False):
    """`values` of a state."""

    outputs: dict[str, OutputJSON] = {}
    root_module: ModuleJSON | None = None


class StateJSON(Struct, gc=False):
    """`show -json` of a state; without `values` it is empty."""

    format_version: str
    terraform_version: str | None = None
    values: ValuesJSON | None = None


class InstanceJSON(Struct, gc=False):
    """An instance in a state file. `index_key` is a string, a whole number or absent."""

    index_key: str | int | None = None
    status: str | None = None
    deposed: str | None = None
    attributes: Raw = ABSENT
    attributes_flat: Raw = ABSENT


class StateResourceJSON(Struct, gc=False):
    """A resource in a state file."""

    type: str
    name: str
    mode: str = "managed"
    module: str | None = None
    instances: list[InstanceJSON] = []


class StateFileJSON(Struct, gc=False):
    """`state pull`, format 4."""

    version: int
    serial: int
    lineage: str
    terraform_version: str | None = None
    outputs: dict[str, OutputJSON] | None = None
    resources: list[StateResourceJSON] | None = None
    check_results: Raw = Raw(b"null")


def decode(data: bytes, kind: type[T], what: str) -> T:
    """`data` as `kind`; terraform's own noise around the document is left out.

    Raises UnreadableDocument, which says where in the document but never quotes it.
    """
    try:
        return find_decoder(kind).decode(_cut_document(data))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableDocument(f"this is not {what}: {_describe_error(error)}") from None


def list_members(data: bytes) -> set[str]:
    """The names of what a JSON object holds. Raises UnreadableDocument."""
    return set(decode(data, dict[str, Raw], "plan or state JSON"))


def encode(value: object) -> bytes:
    """JSON of types like these; what is absent is left out where its type says so."""
    return msgspec.json.encode(value)


def decode_many(data: bytes, kind: type[T]) -> list[T] | None:
    """The elements of an array; None where it is no array of these."""
    try:
        return find_decoder(list[kind]).decode(data)  # type: ignore[valid-type]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _cut_document(data: bytes) -> bytes:
    """UTF-8 without a mark, and without lines before or after the document.

    A cloud backend's retries come before the JSON (hashicorp/terraform#35159); PowerShell's `>`
    writes UTF-16.
    """
    for mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        if data.startswith(mark):
            data = data.decode("utf-16").encode()
    data = data.removeprefix(codecs.BOM_UTF8)
    if data[:1] == b"{" and data.rstrip()[-1:] == b"}":
        return data
    return _cut_noise(data)


def cut_beginning(data: bytes) -> bytes:
    """From the first line that opens a document; all of it where none does.

    Raises UnreadableDocument for an array and for a second document: neither is one plan.
    """
    opened = [*VERSIONED.finditer(data)] or [*OPENED.finditer(data)]
    if len(opened) > 1 or (opened and opened[0][1].startswith(b"[")):
        raise UnreadableDocument("there is more than one document: take each of them alone")
    return data[opened[0].start(1) :] if opened else data


def _cut_noise(data: bytes) -> bytes:
    """As `cut_beginning`, and to that line's end, or to the last line that closes."""
    document = cut_beginning(data)
    line = document.partition(b"\n")[0].rstrip()
    if len(line) > 1 and line.endswith(b"}"):
        return line
    return document[: document.rfind(b"\n}") + 2] if b"\n}" in document else document


def _describe_error(error: Exception) -> str:
    """The decoder's reason in one line; some quote the document or have none worth showing."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return str(error).partition("\n")[0][:200]


def check_version(version: str, what: str) -> None:
    """Majors 0 and 1 are known (terraform-json accepts the same); another is not guessed at."""
    major = version.partition(".")[0]
    if major not in ("0", "1"):
        raise UnreadableDocument(
            f"{what} has format_version {version[:20]!r}, this tfevents knows 0 and 1: update it"
        )


def parse_value(raw: Raw) -> Any:
    """A value for comparing: numbers keep their text, so that none is too large or rounded.

    Raises UnreadableDocument.
    """
    if len(raw_bytes := bytes(raw)) > LARGEST and raw_bytes.count(b",") > MOST_PARTS:
        raise UnreadableDocument(f"a value in it has more than {MOST_PARTS} parts")
    try:
        text = raw_bytes.decode()
        return json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_number)
    except (ValueError, RecursionError) as error:
        raise UnreadableDocument(f"a value in it can't be read: {_describe_error(error)}") from None


def _number(text: str) -> tuple[str, str]:
    return ("number", text)


def compact_json(raw: bytes | Raw) -> bytes:
    """JSON without the white space between its parts, in which alone two writers differ.

    Raises UnreadableDocument.
    """
    try:
        return msgspec.json.format(bytes(raw), indent=-1)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableDocument(f"a value in it can't be read: {_describe_error(error)}") from None
