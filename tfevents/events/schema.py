"""Is this an event? The packaged JSON Schema says the same as the contract's SendEventRequest.

It is a draft 4 schema, as in OpenAPI 3.0: in later drafts 1.0 is an integer, for the server it is
none. What people give is checked by it; our own events are typed, and the tests prove that they
fit. The only module that knows jsonschema.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft4Validator

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


def check(body: Any) -> None:
    """Raises InvalidEvent: which field, and what is wrong with it, without its value."""
    for error in _make_validator().iter_errors(body):
        where = ".".join(map(str, error.absolute_path)) or "the event"
        raise InvalidEvent(f"{where} does not fit the contract ({error.validator})")
