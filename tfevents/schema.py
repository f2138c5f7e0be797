"""Is this an event? The packaged JSON Schema says the same as the contract's SendEventRequest.

It is a draft 4 schema, as in OpenAPI 3.0: in later drafts 1.0 is an integer, for the server it is
none.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from tfevents.errors import InvalidEvent

NAME = "event.schema.json"


@cache
def _validator() -> Any:
    from jsonschema import Draft4Validator

    return Draft4Validator(schema())


@cache
def schema() -> dict[str, Any]:
    """The packaged schema."""
    text = files("tfevents").joinpath(NAME).read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def check(body: Any) -> None:
    """Raises InvalidEvent: which field, and what is wrong with it, without its value."""
    for error in _validator().iter_errors(body):
        where = ".".join(map(str, error.absolute_path)) or "the event"
        raise InvalidEvent(f"{where} does not fit the contract ({error.validator})")
