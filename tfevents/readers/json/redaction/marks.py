"""Redacts the values that terraform marks as sensitive in a part of a document.

Marks are recognised by name, in any section: `x_sensitive` marks `x` and `x_values` in the same
object, `sensitive_values` marks `values`, and so on; `sensitive: true` marks the value in the same
object. Ephemeral values count as sensitive. The formats: terraform's "JSON output format" and, of
states, version 4 (internal/states/statefile in hashicorp/terraform).

Names and words of the format itself are kept, even if a sensitive value is equal to one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tfevents.readers.json.redaction.replacer import Replacer
from tfevents.readers.json.redaction.sensitive_values import HIDDEN, SensitiveValues

MARKS = ("sensitive", "ephemeral")
MARK_STARTS = tuple(f"{mark}_" for mark in MARKS)
MARK_ENDS = tuple(f"_{mark}" for mark in MARKS)
VALUES = frozenset(
    {
        "before",
        "after",
        "value",
        "values",
        "attributes",
        "attributes_flat",
        "default",
        "constant_value",
        "identity",
    }
)
"""The members that contain values: each name inside may be a key of a map."""
ATTRIBUTES = frozenset(
    {"attributes", "values", "sensitive_values", "config_values", "config_sensitive", "identity"}
)
"""Members in which the first level of names is a schema's; so are all members of a `change`."""
WORDS = frozenset(
    {
        "action_reason",
        "action_trigger_event",
        "actions",
        "each",
        "format_version",
        "identity_schema_version",
        "kind",
        "lineage",
        "mode",
        "object_kind",
        "provider",
        "provider_name",
        "reason",
        "schema_version",
        "serial",
        "status",
        "terraform_version",
        "timestamp",
        "type",
        "version",
    }
)
"""The members whose values are terraform's own words and numbers."""


class Paths(NamedTuple):
    """The marks of a state file: a path of steps to each sensitive value."""

    paths: list[list[Mapping[str, Any]]]


class Redaction:
    """Hides marked values in parts of a document and notes them in `found`.

    With a replacer, sensitive values are also replaced where they are not marked.
    """

    def __init__(self, found: SensitiveValues, replacer: Replacer | None = None) -> None:
        self._found, self._replacer = found, replacer

    def apply(self, node: Any, name: str = "") -> Any:
        """A part without sensitive values. `name`: the name of the member, "" if it has none."""
        if isinstance(node, list):
            return [self.apply(inner, name) for inner in node]
        if not isinstance(node, dict):
            return node if name in WORDS else self._replace(node)
        marks: dict[str, list[Any]] = {}
        for marked, mark in _find_marks(node):
            marks.setdefault(marked, []).append(mark)
        return {n: self._apply_to(inner, n, marks.get(n, []), name) for n, inner in node.items()}

    def _apply_to(self, value: Any, name: str, marks: list[Any], parent: str) -> Any:
        """A member of an object without sensitive values; `parent` is the name of the object."""
        if name == "private":  # providers' internal data is always hidden
            return HIDDEN if value else value
        if name == "type" and not isinstance(value, str):
            return HIDDEN if marks else self._replace_names(value)
        for mark in marks:
            value = self._hide(value, mark)
        if marks or name in VALUES or _holds_marks(name, value):
            return self._replace(value, is_schema=name in ATTRIBUTES or parent == "change")
        return self.apply(value, name)

    def _hide(self, value: Any, mark: Any) -> Any:
        if not isinstance(mark, Paths):
            return self._found.hide_marked(value, mark)
        for path in mark.paths:
            value = _hide_at(value, [_parse_step(step) for step in path], self._found)
        return value

    def _replace(self, value: Any, is_schema: bool = False) -> Any:
        if self._replacer is None:
            return value
        if is_schema and isinstance(value, dict):
            return {name: self._replacer.replace(inner) for name, inner in value.items()}
        return self._replacer.replace(value)

    def _replace_names(self, kind: Any) -> Any:
        """A type with its words kept, but attribute names redacted: they may be keys of a map."""
        if isinstance(kind, list):
            return [self._replace_names(inner) for inner in kind]
        if not isinstance(kind, dict):
            return kind
        return {self._replace(name): self._replace_names(t) for name, t in kind.items()}


def _find_marks(node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The names of an object's marked members, each with its mark."""
    for name, mark in node.items():
        if name in MARKS and mark is True:
            yield from ((value, True) for value in node if value in VALUES or value == "type")
        elif name.startswith(MARK_STARTS):
            marked = name.partition("_")[2]
            yield marked, Paths(mark) if marked == "attributes" and isinstance(mark, list) else mark
            if marked == "attributes" and mark:
                yield "attributes_flat", True
        elif name.endswith(MARK_ENDS):
            marked = name.rpartition("_")[0]
            yield from ((other, mark) for other in node if _is_marked_by(other, marked))


def _is_marked_by(name: str, marked: str) -> bool:
    """Whether a mark of `marked` applies to a member: of `after`, to `after_identity` as well."""
    return name == marked or (
        name.startswith(f"{marked}_") and not name.endswith((*MARK_ENDS, "_unknown"))
    )


def _holds_marks(name: str, value: Any) -> bool:
    """Whether a member holds marks, whose names may be the keys of maps."""
    if name == "sensitive_attributes" and isinstance(value, list):
        return False  # each step of its paths is redacted by itself
    return name.startswith(MARK_STARTS) or name.endswith((*MARK_ENDS, "_unknown"))


def _parse_step(step: Mapping[str, Any]) -> Any:
    """The name or index in a step (`{"type": "get_attr", "value": "a"}`).

    The value of an index is an object with the index and its type.
    """
    value = step.get("value")
    return value.get("value") if isinstance(value, dict) else value


def _hide_at(value: Any, steps: list[Any], found: SensitiveValues) -> Any:
    """`value` with the value at the path of `steps` hidden and noted in `found`.

    If the path can't be followed, as into a set, the last value reached is hidden as a whole.
    """
    if not steps:
        return value if value is None else found.hide(value)
    first, *rest = steps
    if isinstance(value, dict) and first in value:
        return {**value, first: _hide_at(value[first], rest, found)}
    if isinstance(value, list) and isinstance(first, int) and 0 <= first < len(value):
        return [_hide_at(v, rest, found) if i == first else v for i, v in enumerate(value)]
    return value if value is None else found.hide(value)
