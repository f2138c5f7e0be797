"""Parses settings files: which fields a file may hold, who may set them, and where each is."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from tfevents.errors import SettingError, UnreadableDocument
from tfevents.readers.hcl.scanner import Item, Source, scan_body

HARNESS_FIELDS = frozenset(
    {"url", "api_path", "api_key", "api_key_file", "account", "org", "project", "workspace"}
)
"""The fields of the block `harness`."""
TOP_LEVEL_FIELDS = frozenset(
    {"timeout", "strict", "ca_bundle", "direct", "cost_file", "infracost", "quiet", "artefacts"}
    | {"provisioner"}
)
"""The fields outside of any block."""
CHECKOUT_FIELDS = frozenset({"account", "org", "project", "workspace", "cost_file"})
"""The fields that a file in a checkout may set, since a pull request may have written it. Every
other field, also a new one, decides where the API key is sent or what is trusted: only the person
who runs tfevents may set it."""
ENVIRONMENT_ONLY = frozenset({"provisioner"})
"""Fields that no file may set: their values are needed before any file is read."""
WORKSPACE_FIELDS = frozenset({"directory", "tf_workspace"})
"""The fields of a block `workspace`."""
BLOCKS = ("harness { … }", 'workspace "id" { … }')
"""The blocks that a file may hold beside the fields of TOP_LEVEL_FIELDS, for messages."""

GAP = r"(?:\s|/\*(?:[^*]|\*(?!/))*\*/)*"
VALUE = re.compile(
    rf'{GAP}(?:"(?P<text>(?:[^"\\\n]|\\.)*)"'
    rf"|(?P<number>-?[0-9]{{1,30}}(?:\.[0-9]{{1,30}})?)|(?P<word>true|false)){GAP}"
)
SPECIAL = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)|\$\$\{|%%\{|[$%]\{")
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
WORDS = {"true": "1", "false": "0"}


class Field(Struct, frozen=True):
    """A field: its value as text, and its place (file, line and name), for messages."""

    name: str
    text: str
    place: str


class WorkspaceBlock(Struct, frozen=True):
    """A block `workspace "label" { … }`, which maps a directory to the workspace `label`."""

    label: str
    fields: Mapping[str, Field]
    place: str


class Document(Struct, frozen=True):
    """The contents of a settings file."""

    fields: Mapping[str, Field]
    workspaces: tuple[WorkspaceBlock, ...]


def parse_settings_file(text: str, path: str) -> Document:
    """The settings in `text`; `path` is only used in messages.

    Raises SettingError: one line with file, line and field.
    """
    source = Source(text.removeprefix("\ufeff"), path)
    fields: dict[str, Field] = {}
    workspaces = []
    try:
        for item in scan_body(source, 0, len(source.text)):
            if item.name == "harness":
                _parse_harness(source, item, fields)
            elif item.name == "workspace":
                workspaces.append(_parse_workspace(source, item))
            else:
                _check_name(source, item, TOP_LEVEL_FIELDS, "", *BLOCKS)
                _add_field(source, item, fields)
    except UnreadableDocument as error:
        raise SettingError(str(error)) from None
    return Document(fields, tuple(workspaces))


def _parse_harness(source: Source, block: Item, fields: dict[str, Field]) -> None:
    if block.labels != ():
        raise _make_error(source, block, "this is a block: harness { … }")
    for item in scan_body(source, block.start, block.end):
        _check_name(source, item, HARNESS_FIELDS, " in harness")
        _add_field(source, item, fields)


def _parse_workspace(source: Source, block: Item) -> WorkspaceBlock:
    if block.labels is None or len(block.labels) != 1:
        raise _make_error(source, block, 'this is a block: workspace "id" { … }')
    fields: dict[str, Field] = {}
    for item in scan_body(source, block.start, block.end):
        if item.name not in WORKSPACE_FIELDS or item.labels is not None:
            raise _make_error(source, block, "this takes a directory (and tf_workspace)")
        _add_field(source, item, fields)
    label = _unescape(source, block, block.labels[0])
    return WorkspaceBlock(label, fields, _describe_place(source, block))


def _check_name(
    source: Source, item: Item, known: frozenset[str], where: str, *blocks: str
) -> None:
    if item.name not in known:
        there = "it takes " + ", ".join([*sorted(known - ENVIRONMENT_ONLY), *blocks])
        what = "it stands in harness { … }" if item.name in HARNESS_FIELDS else there
        raise _make_error(source, item, f"no such setting{where}: {what}")


def _add_field(source: Source, item: Item, fields: dict[str, Field]) -> None:
    if item.name in fields:
        raise _make_error(source, item, "it is set a second time")
    fields[item.name] = Field(item.name, _parse_value(source, item), _describe_place(source, item))


def _parse_value(source: Source, item: Item) -> str:
    """The value of a field as text: a quoted text, a number, or `1` or `0` for a boolean."""
    found = None if item.labels is not None else VALUE.fullmatch(source.text, item.start, item.end)
    if found is None:
        raise _make_error(source, item, "a text in quotes, a number or true or false, please")
    if found["text"] is not None:
        return _unescape(source, item, found["text"])
    return found["number"] or WORDS[found["word"]]


def _unescape(source: Source, item: Item, quoted: str) -> str:
    """The text between the quotes, with HCL's escape sequences replaced."""

    def replace(match: re.Match[str]) -> str:
        if match[0] in ("${", "%{"):
            raise _make_error(source, item, "no expressions, please: a text in quotes")
        escape = match[1]
        if escape is None:
            return match[0][1:]
        if escape[0] in "uU" and len(escape) > 1:
            return chr(min(int(escape[1:], 16), 0xFFFF if escape[0] == "u" else 0x10FFFF))
        return ESCAPES.get(escape, "\0")

    text = SPECIAL.sub(replace, quoted)
    if not text.isprintable():
        raise _make_error(source, item, "printable characters, please")
    return text


def _describe_place(source: Source, item: Item) -> str:
    """File, line and name of a field or block; the line is that of its name."""
    line = source.text.count("\n", 0, item.at) + 1
    return f"{source.name}, line {line}, {item.name}"


def _make_error(source: Source, item: Item, what: str) -> SettingError:
    return SettingError(f"{_describe_place(source, item)}: {what}")
