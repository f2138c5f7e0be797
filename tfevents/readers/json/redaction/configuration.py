"""What the configuration in plan JSON declares to be sensitive, and what of it may be shown.

A variable is sensitive where it is declared so, and where it is passed to one of a module that is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tfevents.readers.json.redaction.marks import MARKS
from tfevents.readers.json.redaction.sensitive_values import SensitiveValues


def note_module(module: Mapping[str, Any], found: SensitiveValues) -> set[str]:
    """Notes the constants that are sensitive in a module and in those that it calls.

    Returns the names of its own variables that are sensitive.
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
    """Notes what a module is given for sensitive variables; returns the variables among it."""
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
    """The variables of its module that an expression refers to."""
    for references in _find_members(expression, "references"):
        for kind, _, rest in (reference.partition(".") for reference in references):
            if kind == "var":
                yield rest.partition(".")[0].partition("[")[0]


def _find_members(node: Any, name: str) -> Iterator[Any]:
    """The members of that name in an expression; blocks are expressions in lists."""
    if isinstance(node, list):
        for inner in node:
            yield from _find_members(inner, name)
    elif isinstance(node, dict):
        for other, inner in node.items():
            if other == name:
                yield inner
            else:
                yield from _find_members(inner, name)
