"""Is this an event? The packaged JSON Schema says the same as the contract's SendEventRequest.

It is a draft 4 schema, as in OpenAPI 3.0: in later drafts 1.0 is an integer, for the server it is
none. What plainly fits it is found here; jsonschema has the last word on all else, and wakes for
it only: that takes longer than a small plan.
"""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

from tfevents.errors import InvalidEvent

NAME = "event.schema.json"
TYPES = {"object": dict, "string": str, "integer": int, "boolean": bool}
RULES = {"type", "enum", "minimum", "maximum", "required", "properties", "additionalProperties"}
REMARKS = {"$schema", "$defs", "title", "description", "deprecated"}


@cache
def _validator() -> Any:
    from jsonschema import Draft4Validator

    return Draft4Validator(schema())


@cache
def schema() -> dict[str, Any]:
    """The packaged schema."""
    path = os.path.join(os.path.dirname(__file__), NAME)
    with open(path, encoding="utf-8") as file:
        document: dict[str, Any] = json.load(file)
    return document


def check(body: Any) -> None:
    """Raises InvalidEvent: which field, and what is wrong with it, without its value."""
    if fits(body, schema()):
        return
    for error in _validator().iter_errors(body):
        where = ".".join(map(str, error.absolute_path)) or "the event"
        raise InvalidEvent(f"{where} does not fit the contract ({error.validator})")


def fits(value: Any, rule: dict[str, Any]) -> bool:
    """Whether a value plainly is what a rule wants; False wherever that takes more than this."""
    if "$ref" in rule:
        rule = schema()["$defs"].get(rule["$ref"].removeprefix("#/$defs/"), {})
    kind = TYPES.get(str(rule.get("type")))
    if not rule.keys() <= RULES | REMARKS or type(value) is not kind:
        return False
    if "enum" in rule and value not in rule["enum"]:
        return False
    if isinstance(value, int):
        return bool(rule.get("minimum", value) <= value <= rule.get("maximum", value))
    return not isinstance(value, dict) or _members_fit(value, rule)


def _members_fit(members: dict[str, Any], rule: dict[str, Any]) -> bool:
    known, other = rule.get("properties", {}), rule.get("additionalProperties", True)
    return set(rule.get("required", ())) <= members.keys() and all(
        fits(value, known[name]) if name in known else other is True or fits(value, other)
        for name, value in members.items()
    )
