"""Finds the values that the configuration in plan JSON declares to be sensitive.

A variable is sensitive if it is declared so or passed to a sensitive variable of a called module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tfevents.readers.json.redaction.marks import MARKS
from tfevents.readers.json.redaction.sensitive_values import SensitiveValues


def note_module(module: Mapping[str, Any], found: SensitiveValues) -> set[str]:
    """Notes the sensitive constants in a module and in the modules that it calls.

    Returns the names of the module's own sensitive variables.
    """
    variables = module.get("variables") or {}
    names = {name for name, variable in variables.items() if _is_sensitive(variable)}
    for call in (module.get("module_calls") or {}).values():
        names |= _note_call(call, found)
    for name in names & variables.keys():
        found.hide(variables[name].get("default"))
    for output in (module.get("outputs") or {}).values():
        if _is_sensitive(output):
            _note_constants(output.get("expression"), found)
    return names


def _note_call(call: Mapping[str, Any], found: SensitiveValues) -> set[str]:
    """Notes the constants passed to a called module's sensitive variables.

    Returns the names of the calling module's variables that are passed to these.
    """
    given = call.get("expressions") or {}
    names = note_module(call.get("module") or {}, found) & given.keys()
    for name in names:
        _note_constants(given[name], found)
    return {variable for name in names for variable in _find_variables(given[name])}


def _is_sensitive(declared: Mapping[str, Any]) -> bool:
    return any(declared.get(mark) is True for mark in MARKS)


def _note_constants(expression: Any, found: SensitiveValues) -> None:
    for value in _find_members(expression, "constant_value"):
        found.hide(value)


def _find_variables(expression: Any) -> Iterator[str]:
    """The names of the variables that an expression refers to."""
    for references in _find_members(expression, "references"):
        for kind, _, rest in (reference.partition(".") for reference in references):
            if kind == "var":
                yield rest.partition(".")[0].partition("[")[0]


def _find_members(node: Any, name: str) -> Iterator[Any]:
    """All members called `name` in an expression; nested blocks are lists of expressions."""
    if isinstance(node, list):
        for inner in node:
            yield from _find_members(inner, name)
    elif isinstance(node, dict):
        for other, inner in node.items():
            if other == name:
                yield inner
            else:
                yield from _find_members(inner, name)
