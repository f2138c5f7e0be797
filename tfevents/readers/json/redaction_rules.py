"""What terraform marks as sensitive, and where: one rule for each part of a document.

A rule takes a part and returns it without what is marked in it, which it notes. Nothing marks the
arguments of providers, which are often keys: their constants all go; and of a resource's arguments,
those that are marked for any resource of its type. The formats: terraform's "JSON output format"
and, of states, version 4 (internal/states/statefile in hashicorp/terraform).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tfevents.readers.json.sensitive_values import HIDDEN, SensitiveValues, has_marks

Rule = Callable[[Any, SensitiveValues], Any]
"""A part, as JSON is decoded, and where to note → the part without what is marked in it."""


def keep(node: Any, _: SensitiveValues) -> Any:
    """The rule for parts in which nothing is marked."""
    return node


def _hide_in_change(node: Any, found: SensitiveValues) -> Any:
    """A change, of a resource or an output."""
    if not isinstance(node, dict):
        return node
    pairs = (("before", "before_sensitive"), ("after", "after_sensitive"))
    return {**node, **{n: found.hide_marked(node[n], node.get(m)) for n, m in pairs if n in node}}


def _hide_in_resource_change(node: Any, found: SensitiveValues) -> Any:
    """An element of `resource_changes` or `resource_drift`."""
    if not isinstance(node, dict) or not isinstance(node.get("change"), dict):
        return node
    change = node["change"]
    for name in ("before_sensitive", "after_sensitive"):
        _note_attributes(node.get("type"), change.get(name), found)
    return {**node, "change": _hide_in_change(change, found)}


def _hide_in_deferred_change(node: Any, found: SensitiveValues) -> Any:
    """An element of `deferred_changes`."""
    if not isinstance(node, dict):
        return node
    return {**node, "resource_change": _hide_in_resource_change(node.get("resource_change"), found)}


def _hide_in_action(node: Any, found: SensitiveValues) -> Any:
    """An element of `action_invocations`."""
    if not isinstance(node, dict) or "config_values" not in node:
        return node
    marks = node.get("config_sensitive")
    return {**node, "config_values": found.hide_marked(node["config_values"], marks)}


def _note_attributes(kind: Any, marks: Any, found: SensitiveValues) -> None:
    if isinstance(kind, str) and isinstance(marks, dict):
        found.attributes.update((kind, name) for name, mark in marks.items() if has_marks(mark))


def _hide_in_resource(node: Any, found: SensitiveValues) -> Any:
    """A resource of `planned_values` or a prior state."""
    if not isinstance(node, dict) or "values" not in node:
        return node
    marks = node.get("sensitive_values")
    _note_attributes(node.get("type"), marks, found)
    return {**node, "values": found.hide_marked(node["values"], marks)}


def _hide_in_output(node: Any, found: SensitiveValues) -> Any:
    """An output's value, of a plan or a state file."""
    if _is_sensitive(node) and "value" in node:
        return {**node, "value": found.hide(node["value"])}
    return node


def _hide_in_variables(node: Any, found: SensitiveValues) -> Any:
    """The values of the root module's variables."""
    if not isinstance(node, dict):
        return node
    found.variable_values = node
    return {**node, **{name: {"value": HIDDEN} for name in node.keys() & found.variables}}


def _hide_in_instance(node: Any, found: SensitiveValues) -> Any:
    """An instance in a state file. What providers keep for themselves is nobody's to read."""
    if not isinstance(node, dict):
        return node
    hidden = dict(node)
    for path in node.get("sensitive_attributes") or ():
        steps = [_parse_step(step) for step in path]
        hidden["attributes"] = _hide_at(hidden.get("attributes"), steps, found)
    if node.get("private"):
        hidden["private"] = found.hide(node["private"])
    return hidden


def _parse_step(step: Mapping[str, Any]) -> Any:
    """`{"type": "get_attr", "value": "a"}`; an index has a value and its type."""
    value = step.get("value")
    return value.get("value") if isinstance(value, dict) else value


def _hide_at(value: Any, steps: list[Any], found: SensitiveValues) -> Any:
    """What a path leads to; where it leads nowhere, as into a set, all there is on the way."""
    if not steps:
        return value if value is None or value == HIDDEN else found.hide(value)
    first, *rest = steps
    if isinstance(value, dict) and first in value:
        return {**value, first: _hide_at(value[first], rest, found)}
    if isinstance(value, list) and isinstance(first, int) and 0 <= first < len(value):
        return [_hide_at(v, rest, found) if i == first else v for i, v in enumerate(value)]
    return value if value is None or value == HIDDEN else found.hide(value)


def _hide_in_configuration(node: Any, found: SensitiveValues) -> Any:
    """The configuration: constants of providers, and what is declared to be sensitive."""
    if not isinstance(node, dict):
        return node
    root = node.get("root_module")
    if isinstance(root, dict):
        found.variables |= _find_sensitive_variables(root)
    providers = _apply_to_each(node.get("provider_config"), _hide_in_provider, found)
    return {
        **node,
        **({"provider_config": providers} if "provider_config" in node else {}),
        **({"root_module": _hide_in_module(root, found)} if "root_module" in node else {}),
    }


def _find_sensitive_variables(module: Mapping[str, Any]) -> set[str]:
    variables = module.get("variables") or {}
    return {name for name, variable in variables.items() if variable.get("sensitive") is True}


def _apply_to_each(node: Any, rule: Rule, found: SensitiveValues) -> Any:
    """`rule` applied to each member of an object; anything else stays as it is."""
    if not isinstance(node, dict):
        return node
    return {name: rule(inner, found) for name, inner in node.items()}


def _hide_in_provider(node: Any, _: SensitiveValues) -> Any:
    """Its constants go; they are not looked for elsewhere, for most of them are no secrets."""
    if not isinstance(node, dict) or "expressions" not in node:
        return node
    return {**node, "expressions": _replace_constants(node["expressions"], lambda _: HIDDEN)}


def _replace_constants(node: Any, hide: Callable[[Any], str]) -> Any:
    """Expressions, less their constants; blocks are expressions in lists."""
    if isinstance(node, list):
        return [_replace_constants(inner, hide) for inner in node]
    if not isinstance(node, dict):
        return node
    return {
        name: hide(inner) if name == "constant_value" else _replace_constants(inner, hide)
        for name, inner in node.items()
    }


def _hide_in_module(node: Any, found: SensitiveValues) -> Any:
    """A module's configuration and those of the modules it calls."""
    if not isinstance(node, dict):
        return node
    rules: dict[str, Rule] = {
        "variables": _hide_in_variable,
        "outputs": _hide_in_output_declaration,
        "module_calls": _hide_in_call,
    }
    hidden = {n: _apply_to_each(part, rules.get(n, keep), found) for n, part in node.items()}
    if "resources" in node:
        hidden["resources"] = [_hide_in_arguments(one, found) for one in node["resources"] or ()]
    return hidden


def _hide_in_variable(node: Any, found: SensitiveValues) -> Any:
    """The default of a variable that is declared to be sensitive."""
    if not _is_sensitive(node) or "default" not in node:
        return node
    return {**node, "default": found.hide(node["default"])}


def _hide_in_output_declaration(node: Any, found: SensitiveValues) -> Any:
    """The constants of an output that is declared to be sensitive."""
    if not _is_sensitive(node) or "expression" not in node:
        return node
    return {**node, "expression": _replace_constants(node["expression"], found.hide)}


def _is_sensitive(node: Any) -> bool:
    return isinstance(node, dict) and node.get("sensitive") is True


def _hide_in_call(node: Any, found: SensitiveValues) -> Any:
    """What a module is given for variables that it declares to be sensitive."""
    if not isinstance(node, dict):
        return node
    module, given = node.get("module"), node.get("expressions")
    names = _find_sensitive_variables(module) if isinstance(module, dict) else set()
    hidden = {
        **(given or {}),
        **{n: _replace_constants(e, found.hide) for n, e in (given or {}).items() if n in names},
    }
    return {
        **node,
        **({"expressions": hidden} if "expressions" in node else {}),
        **({"module": _hide_in_module(module, found)} if "module" in node else {}),
    }


def _hide_in_arguments(node: Any, found: SensitiveValues) -> Any:
    """A resource's arguments that are marked for any resource of its type."""
    if not isinstance(node, dict) or not isinstance(node.get("expressions"), dict):
        return node
    kind, given = node.get("type"), node["expressions"]
    names = {name for name in given if (kind, name) in found.attributes}
    return {
        **node,
        "expressions": {
            n: _replace_constants(e, found.hide) if n in names else e for n, e in given.items()
        },
    }


MODULE: dict[str, Any] = {"resources": [_hide_in_resource]}
MODULE["child_modules"] = [MODULE]
VALUES = {"outputs": {"*": _hide_in_output}, "root_module": MODULE}
DOCUMENT: dict[str, Any] = {
    # a plan
    "variables": _hide_in_variables,
    "planned_values": VALUES,
    "prior_state": {"values": VALUES},
    "resource_drift": [_hide_in_resource_change],
    "resource_changes": [_hide_in_resource_change],
    "deferred_changes": [_hide_in_deferred_change],
    "deferred_action_invocations": [keep],
    "action_invocations": [_hide_in_action],
    "output_changes": {"*": _hide_in_change},
    "configuration": _hide_in_configuration,
    # `show -json` of a state
    "values": VALUES,
    # a state file
    "outputs": {"*": _hide_in_output},
    "resources": [{"instances": [_hide_in_instance]}],
}
"""What a document is made of: objects by name (`*`: any), arrays by their elements."""
