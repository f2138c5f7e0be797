"""Is this an event? The packaged JSON Schema says the same as the contract's SendEventRequest.

It is a draft 4 schema, as in OpenAPI 3.0: in later drafts 1.0 is an integer, for the server it is
none. What people give is checked by it; our own events are typed, and the tests prove that they
fit. The only module that knows jsonschema.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft4Validator
from msgspec import Struct

from tfevents.errors import InvalidEvent

NAME = "event.schema.json"


def metadata_fields() -> Mapping[str, Any]:
    """Each metadata field of the contract and its JSON Schema."""
    fields: Mapping[str, Any] = schema()["$defs"]["ActivityMetadata"]["properties"]
    return fields


@cache
def schema() -> dict[str, Any]:
    """The packaged schema."""
    path = os.path.join(os.path.dirname(__file__), NAME)
    with open(path, encoding="utf-8") as file:
        document: dict[str, Any] = json.load(file)
    return document


@cache
def _make_validator() -> Any:
    return Draft4Validator(schema())


class Mismatch(Struct, frozen=True):
    """One way in which a body does not fit: where, JSON Schema's name of the rule, what the rule
    wants (of `required`: the member that is missing), and what stands there."""

    path: tuple[str, ...]
    rule: str
    wanted: Any
    value: Any


def find_mismatches(body: Any) -> Iterator[Mismatch]:
    """Everything that is wrong with a body, in the order of its fields' paths."""
    errors = _make_validator().iter_errors(body)
    for error in sorted(errors, key=_path_of):
        wanted = error.validator_value
        if error.validator == "required":
            wanted = next(name for name in wanted if f"{name!r} is" in error.message)
        yield Mismatch(_path_of(error), error.validator, wanted, error.instance)


def _path_of(error: Any) -> tuple[str, ...]:
    return tuple(map(str, error.absolute_path))


def check(body: Any) -> None:
    """Raises InvalidEvent: which field, and what is wrong with it, without its value."""
    for error in _make_validator().iter_errors(body):
        where = ".".join(_path_of(error)) or "the event"
        raise InvalidEvent(f"{where} does not fit the contract ({error.validator})")
