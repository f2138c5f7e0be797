"""Validates events against the packaged JSON Schema, which matches the contract's SendEventRequest.

The schema is draft 4, as in OpenAPI 3.0: later drafts accept 1.0 as an integer, the server does
not. Only events with values from users are validated; our own events are typed, and tests prove
that they are valid. This is the only module that imports jsonschema.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any

from jsonschema import Draft4Validator
from msgspec import Struct

from tfevents.errors import InvalidEvent

NAME = "event.schema.json"
MOST_MISMATCHES = 100
"""The most violations that are looked for: a body of 1 MiB may have 100,000, which take seconds."""


def metadata_fields() -> Mapping[str, Any]:
    """The contract's metadata fields: name → JSON Schema."""
    fields: Mapping[str, Any] = load_schema()["$defs"]["ActivityMetadata"]["properties"]
    return fields


@cache
def load_schema() -> dict[str, Any]:
    """The packaged schema of an event."""
    path = os.path.join(os.path.dirname(__file__), NAME)
    with open(path, encoding="utf-8") as file:
        document: dict[str, Any] = json.load(file)
    return document


@cache
def _make_validator() -> Any:
    return Draft4Validator(load_schema())


class Mismatch(Struct, frozen=True):
    """One violation of the schema.

    `rule`: JSON Schema's keyword. `wanted`: the keyword's value in the schema; for `required`, the
    name of the missing member. `value`: the value at `path`.
    """

    path: tuple[str, ...]
    rule: str
    wanted: Any
    value: Any


def find_mismatches(body: Any) -> Iterator[Mismatch]:
    """The first MOST_MISMATCHES violations of the schema in an event's body, sorted by path."""
    errors = islice(_make_validator().iter_errors(body), MOST_MISMATCHES)
    for error in sorted(errors, key=_path_of):
        wanted = error.validator_value
        if error.validator == "required":
            wanted = next(name for name in wanted if f"{name!r} is" in error.message)
        yield Mismatch(_path_of(error), error.validator, wanted, error.instance)


def _path_of(error: Any) -> tuple[str, ...]:
    return tuple(map(str, error.absolute_path))


def check_event(body: Any) -> None:
    """Raises InvalidEvent for an invalid body; it names the field and the rule, not the value."""
    for error in _make_validator().iter_errors(body):
        where = ".".join(_path_of(error)) or "the event"
        raise InvalidEvent(f"{where} does not fit the contract ({error.validator})")
