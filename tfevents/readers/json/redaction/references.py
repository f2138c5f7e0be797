"""Reduces a configuration to what Infracost needs: resources' references and providers' regions.

Without these, Infracost uses the prices of another region and does not find the launch template of
a group. All other constants are removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RESOURCE = ("address", "mode", "type", "name", "provider_config_key")
PROVIDER = ("name", "full_name", "alias", "module_address")
REGION = "region"


def keep_references(configuration: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
    """A plan's configuration without constants but regions. `variables`: the root module's."""
    providers = configuration.get("provider_config") or {}
    return {
        "provider_config": {n: _keep_region(one, variables) for n, one in providers.items()},
        "root_module": _keep_in_module(configuration.get("root_module") or {}),
    }


def _keep_region(provider: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """A provider's names and region; a region set by a variable gets the variable's value."""
    region = (provider.get("expressions") or {}).get(REGION) or {}
    for reference in region.get("references") or ():
        _, _, name = reference.partition("var.")
        if name in variables:
            region = {"constant_value": variables[name].get("value")}
    return {**_pick(provider, PROVIDER), "expressions": {REGION: region} if region else {}}


def _keep_in_module(module: Mapping[str, Any]) -> dict[str, Any]:
    calls = module.get("module_calls") or {}
    return {
        "resources": [
            {**_pick(one, RESOURCE), "expressions": _keep_in_expressions(one.get("expressions"))}
            for one in module.get("resources") or ()
        ],
        "module_calls": {
            name: {
                "expressions": _keep_in_expressions(call.get("expressions")),
                "module": _keep_in_module(call.get("module") or {}),
            }
            for name, call in calls.items()
        },
    }


def _keep_in_expressions(node: Any) -> Any:
    """Expressions without constants; nested blocks are lists of expressions."""
    if isinstance(node, list):
        return [_keep_in_expressions(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    return {n: _keep_in_expressions(one) for n, one in node.items() if n != "constant_value"}


def _pick(node: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: node[name] for name in names if name in node}
