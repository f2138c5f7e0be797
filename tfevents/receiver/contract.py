"""Validates requests against the contract: parses an event, an artifact or a query, or raises the
error that the service would answer with.

Pure: from the request's bytes to a value, without I/O. The service is written with goa, and its
errors are followed: one error names everything that is wrong with a body
(tests/data/contract/openapi.yaml).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes

import fastjsonschema
from msgspec import Struct

from tfevents.events.schema import Mismatch, find_mismatches, load_schema

ROUTE = re.compile(
    r"(?:/gateway)?(?:/iacm)?/api/orgs/([^/]*)/projects/([^/]*)"
    r"/(?:workspaces/([^/]*)/(events|data)|(activities))"
)
MAX_LENGTHS = {"org": 128, "project": 128, "workspace": 1024, "Harness-Account": 128}
LARGEST_EVENT, LARGEST_ARTIFACT = 1 << 20, 1 << 28
SPACE = b" \t\r\n"
NEWER_VALUES = {
    "activity_type": ("bootstrap", "synth", "deploy", "diff", "drift", "rollback"),
    "activity_status": ("incomplete",),
}
"""Enum values that the schema lacks but newer servers know; they are accepted."""
ARTIFACT_FIELDS: Mapping[str, frozenset[str] | None] = {
    **dict.fromkeys(("pipeline_id", "stage_id", "pipeline_execution_id", "pipeline_stage_id")),
    "provisioner_type": frozenset({"tf", "awscdk"}),
    "data_type": frozenset(
        {
            *("plan_human", "state_raw", "state_human"),
            *("cost_breakdown", "cost_diff", "modules", "providers"),
        }
    ),
}
"""The query parameters of an artifact, all required, with their allowed values; None: any text."""
FILTERS = (
    *("workspace", "pipeline", "pipeline_execution_id", "pipeline_stage_id"),
    *("activity_type", "activity_status"),
)


validate_event = fastjsonschema.compile(load_schema(), use_default=False)
"""The event schema, compiled: raises JsonSchemaValueException for a body that does not conform.

50 times as fast as `find_mismatches`, which only runs to describe the errors."""


class ContractError(Exception):
    """An error response: its HTTP status, goa's name for the error, and a message.

    `allowed`: for a 405, the method that is allowed."""

    def __init__(self, status: int, name: str, message: str, allowed: str = "") -> None:
        super().__init__(message)
        self.status, self.name, self.message, self.allowed = status, name, message, allowed


class Request(Struct, frozen=True):
    """One request without its body. `path` and `query` are percent-encoded, as they were sent; the
    names of `headers` are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


class Place(Struct, frozen=True):
    """What a request addresses: an account, org, project and workspace.

    `kind`: "events", "data" or "activities"; for activities `workspace` is empty."""

    account: str
    org: str
    project: str
    workspace: str
    kind: str


class Artifact(Struct, frozen=True):
    """The description of an artifact: the query parameters of a create-data request.

    `fields`: all of ARTIFACT_FIELDS, `data_type` included."""

    data_type: str
    fields: Mapping[str, str]


class ActivityQuery(Struct, frozen=True):
    """The query of a list of activities; `start` and `end` are in milliseconds since 1970."""

    limit: int = 30
    page: int = 1
    filters: Mapping[str, str] = {}
    start: int | None = None
    end: int | None = None


def parse_place(request: Request) -> Place:
    """What a request addresses, from its path and account header.

    Raises ContractError for an unknown path, a wrong method, a missing API key or account, and a
    Content-Length that is too large or not a number.
    """
    match = ROUTE.fullmatch(request.path)
    if match is None:
        raise ContractError(404, "not_found", "404 page not found")
    kind = match[4] or match[5]
    names = ("org", "project", "workspace") if match[4] else ("org", "project")
    parts = {name: _decode_segment(name, match[i]) for i, name in enumerate(names, 1)}
    _check_method(request.method, "POST" if match[4] else "GET")
    account = _check_caller(request.headers)
    if kind != "activities":
        _check_size(request.headers, LARGEST_EVENT if kind == "events" else LARGEST_ARTIFACT)
    if any("\0" in part for part in parts.values()):
        raise ContractError(404, "not_found", "no such workspace")
    return Place(account, parts["org"], parts["project"], parts.get("workspace", ""), kind)


def parse_event(request: Request, body: bytes) -> dict[str, Any]:
    """The event in a request's body. Raises ContractError if the body is not a valid event."""
    if not body.strip(SPACE):
        raise ContractError(400, "missing_payload", "missing required payload")
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise ContractError(415, "unsupported_media_type", f"unsupported media type {media[:100]}")
    value = _parse_json(body)
    if not isinstance(value, dict):
        raise ContractError(400, "decode_payload", "the body is no JSON object")
    if _conforms(value):
        return value
    found = [one for one in find_mismatches(value) if not _is_newer_value(one)]
    if found:
        message = "; ".join(map(_describe, found))
        raise ContractError(400, _choose_error_name(found[0]), message[:4096])
    return value


def parse_artifact(request: Request) -> Artifact:
    """The description of an artifact, from a request's query. Raises ContractError."""
    query = _parse_query(request.query)
    for name, words in ARTIFACT_FIELDS.items():
        if not query.get(name):
            raise ContractError(400, "missing_field", f'"{name}" is missing from query string')
        if words is not None and query[name] not in words:
            raise ContractError(400, "invalid_enum_value", _describe_enum(name, sorted(words)))
    return Artifact(query["data_type"], {name: query[name] for name in ARTIFACT_FIELDS})


def parse_activity_query(request: Request) -> ActivityQuery:
    """Which activities a request's query asks for. Raises ContractError."""
    query = _parse_query(request.query)
    if any("\0" in text for text in query.values()):  # PostgreSQL stores no NUL in a text
        raise ContractError(400, "bad_request", "the query holds a NUL")
    return ActivityQuery(
        limit=_parse_number(query, "limit", 1, 1000) or 30,
        page=_parse_number(query, "page", 1) or 1,
        filters={name: query[name] for name in FILTERS if query.get(name)},
        start=_parse_number(query, "start_time"),
        end=_parse_number(query, "end_time"),
    )


def _decode_segment(name: str, raw: str) -> str:
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise ContractError(400, "bad_request", f"{name} is not UTF-8") from None
    _check_length(name, text)
    return text


def _check_length(name: str, text: str) -> None:
    most = MAX_LENGTHS[name]
    if not text:
        words = f"length of {name} must be greater or equal than 1 but got 0"
    elif len(text) > most:
        words = f"length of {name} must be lesser or equal than {most} but got {len(text)}"
    else:
        return
    raise ContractError(400, "invalid_length", words)


def _check_method(method: str, allowed: str) -> None:
    if method != allowed:
        words = f"{method} is not allowed here"
        raise ContractError(405, "method_not_allowed", words, allowed)


def _check_caller(headers: Mapping[str, str]) -> str:
    """The account in the headers. Any API key is accepted, and none is stored."""
    if not headers.get("x-api-key"):
        raise ContractError(401, "unauthorized", "the API key is missing, invalid or expired")
    account = headers.get("harness-account")
    if account is None:
        raise ContractError(400, "missing_field", '"Harness-Account" is missing from header')
    _check_length("Harness-Account", account)
    return account


def _check_size(headers: Mapping[str, str], most: int) -> None:
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or int(length[:20]) > most:
        raise too_large()


def too_large() -> ContractError:
    """The error for a body that is too large."""
    return ContractError(413, "request_entity_too_large", "http: request body too large")


def _parse_json(body: bytes) -> Any:
    """The value of a JSON text, parsed strictly: UTF-8, no duplicate member names, no NaN or
    infinite numbers. Raises ContractError."""
    try:
        return json.loads(
            body.decode(),
            object_pairs_hook=_make_object,
            parse_constant=_refuse_constant,
            parse_float=_parse_float,
        )
    except (ValueError, RecursionError):
        raise ContractError(400, "decode_payload", "the body is no JSON text") from None


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is repeated")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _parse_float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number


def _conforms(value: dict[str, Any]) -> bool:
    try:
        validate_event(value)
    except fastjsonschema.JsonSchemaValueException:
        return False
    return True


def _is_newer_value(found: Mismatch) -> bool:
    words = NEWER_VALUES.get(found.path[-1], ()) if found.path else ()
    return found.rule == "enum" and found.value in words


def _choose_error_name(found: Mismatch) -> str:
    names = {"enum": "invalid_enum_value", "required": "missing_field", "type": "decode_payload"}
    return names.get(found.rule, "bad_request")


def _describe(found: Mismatch) -> str:
    """An error message for one mismatch; it does not quote the value."""
    where = ".".join(("body", *found.path))
    if found.rule == "required":
        return f'"{found.wanted}" is missing from {where}'
    if found.rule == "enum":
        return _describe_enum(where, found.wanted)
    if found.rule == "type":
        return f"{where} must be of type {found.wanted}"
    return f"{where} must be an int64"


def _describe_enum(where: str, words: Any) -> str:
    return f"value of {where} must be one of {', '.join(json.dumps(word) for word in words)}"


def _parse_query(text: str) -> dict[str, str]:
    """A query string's parameters; of a repeated one, the first value. Raises ContractError."""
    try:
        found = parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        raise ContractError(400, "bad_request", "the query can't be read") from None
    return {name: values[0] for name, values in found.items()}


def _parse_number(
    query: Mapping[str, str], name: str, least: int = -(2**63), most: int = 2**63 - 1
) -> int | None:
    """A query parameter as an integer; None if it is missing or empty.

    Raises ContractError if it is not an integer between `least` and `most`.
    """
    text = query.get(name, "")
    if not text:
        return None
    if not re.fullmatch(r"[+-]?[0-9]{1,19}", text):
        raise ContractError(400, "invalid_field_type", f"{name} must be an integer")
    number = int(text)
    if not least <= number <= most:
        raise ContractError(400, "invalid_range", f"{name} must be between {least} and {most}")
    return number
