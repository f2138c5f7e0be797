"""Defines and decodes the JSON documents that terraform writes; members not named here are skipped.

Names are terraform's own (`internal/command/jsonplan`, `jsonstate`, `states/statefile`). Values
stay `Raw`: slices of the input, valid only as long as the input is.
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
"""A value with more bytes and more commas is refused: each part takes some 100 bytes in Python."""
OPENED = re.compile(rb"^(\{|\[\s*\{)", re.M)
VERSIONED = re.compile(rb'^[ \t]*(\{|\[\s*\{)\s*"format_version"', re.M)
"""OPENED: a line that starts a document or an array of documents. VERSIONED: one of terraform's."""

Actions = Annotated[tuple[str, ...], Meta(min_length=1)]
"""An entry's actions; at least one, since an entry without actions would not be counted."""

PLAN_MEMBERS = frozenset(
    {
        *("format_version", "terraform_version", "variables", "planned_values", "resource_drift"),
        *("resource_changes", "deferred_changes", "output_changes", "prior_state", "configuration"),
        *("relevant_attributes", "checks", "timestamp", "applyable", "complete", "errored"),
        *("action_invocations", "deferred_action_invocations"),
    }
)
"""The members plan JSON may have; one that failed before planning has little but `errored`."""

EMPTY_STATE = frozenset({"format_version", "terraform_version", "checks"})
"""The members that `show -json` of a state has besides `values`."""


class ChangeJSON(Struct, gc=False):
    """`change` of a resource: its actions, its import, and the marks of its unknown values."""

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


class ValueChangeJSON(Struct, gc=False):
    """`change` of a drift or an output, with the values before and after."""

    actions: Actions
    before: Raw = ABSENT
    after: Raw = ABSENT
    after_unknown: Raw = ABSENT


class DriftJSON(Struct, gc=False):
    """An element of `resource_drift`."""

    change: ValueChangeJSON
    mode: str = "managed"


class PlanJSON(Struct, gc=False):
    """`show -json PLANFILE`. Every member but format_version may be missing (Go's omitempty)."""

    format_version: str
    terraform_version: str | None = None
    resource_changes: list[ResourceChangeJSON] | None = None
    resource_drift: list[DriftJSON] | None = None
    output_changes: dict[str, ValueChangeJSON] | None = None
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
    """An output in a state file or in `show -json` of a state."""

    value: Raw = ABSENT
    type: Raw = ABSENT
    sensitive: Raw = ABSENT


class ValuesJSON(Struct, gc=False):
    """`values` of a state."""

    outputs: dict[str, OutputJSON] = {}
    root_module: ModuleJSON | None = None


class StateJSON(Struct, gc=False):
    """`show -json` of a state; an empty state has no `values`."""

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
    """Decodes `data` as `kind`, without lines that terraform wrote before or after the document.

    Raises UnreadableDocument. Its message calls the document `what` and says where the error is,
    but never quotes the document.
    """
    try:
        return find_decoder(kind).decode(_cut_document(data))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableDocument(f"this is not {what}: {_describe_error(error)}") from None


def list_members(data: bytes) -> set[str]:
    """The member names of a JSON object. Raises UnreadableDocument."""
    return set(decode(data, dict[str, Raw], "plan or state JSON"))


def encode(value: object) -> bytes:
    """The JSON of a Struct; types with `omit_defaults` leave out members at their default."""
    return msgspec.json.encode(value)


def decode_many(data: bytes, kind: type[T]) -> list[T] | None:
    """Decodes a JSON array of `kind`; None if `data` is not one."""
    try:
        return find_decoder(list[kind]).decode(data)  # type: ignore[valid-type]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _cut_document(data: bytes) -> bytes:
    """The document as UTF-8, without byte order mark and without lines before or after it.

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
    """`data` from the first line that starts a document; all of `data` if no line does.

    Raises UnreadableDocument for an array or a second document: neither is a single plan.
    """
    opened = [*VERSIONED.finditer(data)] or [*OPENED.finditer(data)]
    if len(opened) > 1 or (opened and opened[0][1].startswith(b"[")):
        raise UnreadableDocument("there is more than one document: take each of them alone")
    return data[opened[0].start(1) :] if opened else data


def _cut_noise(data: bytes) -> bytes:
    """As `cut_beginning`, and without lines after the document.

    The document ends with its first line if that ends in `}`, else at the last line that starts
    with `}`.
    """
    document = cut_beginning(data)
    line = document.partition(b"\n")[0].rstrip()
    if len(line) > 1 and line.endswith(b"}"):
        return line
    return document[: document.rfind(b"\n}") + 2] if b"\n}" in document else document


def _describe_error(error: Exception) -> str:
    """The error's message in one line; replaced if it quotes the document or says too little."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return str(error).partition("\n")[0][:200]


def check_version(version: str, what: str) -> None:
    """Raises UnreadableDocument if the major version is not 0 or 1, as terraform-json does.

    `what` is what the error message calls the document.
    """
    major = version.partition(".")[0]
    if major not in ("0", "1"):
        raise UnreadableDocument(
            f"{what} has format_version {version[:20]!r}, this tfevents knows 0 and 1: update it"
        )


def parse_value(raw: Raw) -> Any:
    """Parses a value for comparing. A number is `("number", text)`, so it is never rounded.

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
    """The same JSON without white space between its parts, so that equal documents compare equal.

    Raises UnreadableDocument.
    """
    try:
        return msgspec.json.format(bytes(raw), indent=-1)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableDocument(f"a value in it can't be read: {_describe_error(error)}") from None
