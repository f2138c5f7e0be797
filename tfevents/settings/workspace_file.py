""".harness/workspace.yaml → whose workspace a checkout is: the only module that knows PyYAML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from tfevents.errors import UnreadableDocument

NAMES = {"org_id": "org", "project_id": "project", "workspace_id": "workspace"}
"""The file's names for the settings that it may hold; all others are not ours."""
TEXT, NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"


def parse_workspace_file(text: str, name: str) -> dict[str, tuple[str, int]]:
    """What `text` says of `NAMES`, under the file's own names, each with its line.

    Nothing is built of all the rest: aliases and merges of a few lines can stand for gigabytes.
    Raises UnreadableDocument: one line with `name`, the line and the field.
    """
    try:
        nodes = _nodes(text, name)
        pairs = [pair for pair in zip(nodes, nodes, strict=True) if _named(pair[0]) in NAMES]
    except yaml.YAMLError as error:
        raise _unreadable(name, _line(error, text), "this is no YAML") from None
    found = {}
    for key, value in pairs:
        line, tag = _begins(key), _tag(value)
        if tag == TEXT:
            found[key.value] = (value.value, line)
        elif tag != NULL:  # 0123 is 83 to YAML, and `on` is true
            what = f"{name}, line {line}, {key.value}: a text, please: put it in quotes"
            raise UnreadableDocument(what)
    return found


def _nodes(text: str, name: str) -> Iterator[Any]:
    """The outermost mapping's names and values in turn, or what begins there."""
    depth = documents = 0
    # libyaml, where PyYAML was built with it: its own reader takes seconds for 64 KiB
    for event in yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _unreadable(name, _begins(event), "this is a second document")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.NodeEvent):
            if depth == 0 and not isinstance(event, yaml.MappingStartEvent) and _tag(event) != NULL:
                raise _unreadable(name, 1, "this holds no names with values")
            if depth == 1:
                yield event
            depth += isinstance(event, yaml.CollectionStartEvent)


def _begins(event: Any) -> int:
    """The line that an event is in."""
    return int(event.start_mark.line) + 1


def _named(event: Any) -> str | None:
    """The text of a name; None where it is more than that."""
    return getattr(event, "value", None)


def _tag(event: Any) -> str | None:
    """What YAML takes a plain value for; None for one that is no single value."""
    if not isinstance(event, yaml.ScalarEvent):
        return None
    resolver: Any = yaml.SafeLoader("")
    tag: str = event.tag or resolver.resolve(yaml.ScalarNode, event.value, event.implicit)
    return tag


def _line(error: Any, text: str) -> int:
    """PyYAML's mark counts from 0; a character that YAML does not know has only a position."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return int(mark.line) + 1
    return text.count("\n", 0, getattr(error, "position", 0)) + 1


def _unreadable(name: str, line: int, what: str) -> UnreadableDocument:
    return UnreadableDocument(
        f"{name}, line {line}: {what}: write org_id, project_id and workspace_id, each with a text"
    )
