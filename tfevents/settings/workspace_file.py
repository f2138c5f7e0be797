"""Parses .harness/workspace.yaml, the destination of a checkout; the only module with PyYAML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from tfevents.errors import UnreadableDocument

NAMES = {"org_id": "org", "project_id": "project", "workspace_id": "workspace"}
"""The file's names of the settings that are read from it; all other fields are ignored."""
TEXT, NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"


def parse_workspace_file(text: str, name: str) -> dict[str, tuple[str, int]]:
    """The fields of `NAMES` in `text`, under the file's own names, each with its value and line.

    No objects are built from the rest: aliases and merges of a few lines can expand to gigabytes.
    Raises UnreadableDocument: one line with `name` (the file), the line and the field.
    """
    try:
        nodes = _iterate_nodes(text, name)
        pairs = [pair for pair in zip(nodes, nodes, strict=True) if _find_text(pair[0]) in NAMES]
    except yaml.YAMLError as error:
        raise _make_error(name, _find_error_line(error, text), "this is no YAML") from None
    found = {}
    for key, value in pairs:
        line, tag = _find_line(key), _resolve_tag(value)
        if tag == TEXT:
            found[key.value] = (value.value, line)
        elif tag != NULL:  # YAML reads 0123 as 83, and `on` as true
            what = f"{name}, line {line}, {key.value}: a text, please: put it in quotes"
            raise UnreadableDocument(what)
    return found


def _iterate_nodes(text: str, name: str) -> Iterator[Any]:
    """The keys and values of the outermost mapping in turn: a scalar's event, or a collection's
    first. Raises UnreadableDocument for a second document, and for one that is not a mapping."""
    depth = documents = 0
    # libyaml if PyYAML was built with it: its Python parser takes seconds for 64 KiB
    for event in yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _make_error(name, _find_line(event), "this is a second document")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.NodeEvent):
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            if depth == 0 and not is_mapping and _resolve_tag(event) != NULL:
                raise _make_error(name, 1, "this holds no names with values")
            if depth == 1:
                yield event
            depth += isinstance(event, yaml.CollectionStartEvent)


def _find_line(event: Any) -> int:
    """The line in which an event starts, counted from 1."""
    return int(event.start_mark.line) + 1


def _find_text(event: Any) -> str | None:
    """The text of a scalar event; None for any other event."""
    return getattr(event, "value", None)


def _resolve_tag(event: Any) -> str | None:
    """The YAML tag of a scalar event, resolved if it is not explicit; None for any other event."""
    if not isinstance(event, yaml.ScalarEvent):
        return None
    resolver: Any = yaml.SafeLoader("")
    tag: str = event.tag or resolver.resolve(yaml.ScalarNode, event.value, event.implicit)
    return tag


def _find_error_line(error: Any, text: str) -> int:
    """The line of an error, counted from 1. PyYAML counts from 0, and for a character that YAML
    does not allow it only gives a position."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return int(mark.line) + 1
    return text.count("\n", 0, getattr(error, "position", 0)) + 1


def _make_error(name: str, line: int, what: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"{name}, line {line}: {what}: write org_id, project_id and workspace_id, each with a text"
    )
