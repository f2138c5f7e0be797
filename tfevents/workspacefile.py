""".harness/workspace.yaml → whose workspace a checkout is: the only module that knows PyYAML."""

from __future__ import annotations

from typing import Any

from tfevents.errors import UnreadableDocument

NAMES = {"org_id": "org", "project_id": "project", "workspace_id": "workspace"}
"""The file's names for the settings that it may hold; all others are not ours."""


def parse(text: str, name: str) -> dict[str, Any]:
    """What `text` says of `NAMES`, under the file's own names.

    Raises UnreadableDocument: one line with `name` and the line.
    """
    import yaml

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _unreadable(name, _line(error, text), "this is no YAML") from None
    except (RecursionError, ValueError):  # nested too deeply; a date that there never was
        raise _unreadable(name, 1, "a value in it is none of YAML's") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise _unreadable(name, 1, "this holds no names with values")
    return {key: document[key] for key in NAMES if document.get(key) is not None}


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
