"""Decides which requests the service accepts and refuses, from their bytes, as its Go server
does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes

import jsonschema
import yaml

from support.paths import DATA

CONTRACT = DATA / "contract" / "openapi.yaml"
PUBLISHED_API_PATH = "/iacm/api"


@dataclass(frozen=True)
class Rules:
    """How one endpoint is set up.

    `strict` also refuses what the real service would ignore (unknown and repeated members, nulls,
    bytes after the value, text that is not UTF-8), so that what we send is what the contract says.
    """

    api_path: str = PUBLISHED_API_PATH
    api_key: str | None = None  # None: any key
    account: str | None = None  # None: any account
    workspaces: frozenset[tuple[str, str, str]] | None = None  # None: all exist
    strict: bool = True
    max_body: int = 1 << 20


@dataclass(frozen=True)
class Place:
    """The decoded parts of a request's path; `kind` is `events` or `data`."""

    org: str
    project: str
    workspace: str
    kind: str


class Refusal(Exception):
    """An error response: its status, goa name and message."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status, self.name, self.message = status, name, message


@dataclass(frozen=True)
class Incoming:
    """One request as read from the wire; header names are lower-case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def judge(rules: Rules, incoming: Incoming) -> tuple[Place, Any]:
    """Place and decoded body (None for `data`) of a request that the service accepts; raises
    Refusal otherwise."""
    place, query = locate(rules, incoming.target)
    if incoming.method != "POST":
        raise Refusal(405, "method_not_allowed", f"{incoming.method} is not allowed here")
    _check_caller(rules, incoming.headers)
    if int(incoming.headers.get("content-length", "0")) > rules.max_body:
        raise Refusal(413, "request_entity_too_large", "http: request body too large")
    _check_existence(rules, place)
    if place.kind == "data":
        _check_query(query)
        return place, None
    media = incoming.headers.get("content-type", "").split(";")[0].strip().lower()
    if media != "application/json":
        raise Refusal(415, "unsupported_media_type", f'unsupported media type "{media}"')
    return place, decode(incoming.body, strict=rules.strict)


def locate(rules: Rules, target: str) -> tuple[Place, dict[str, list[str]]]:
    """The place and query of a request target; each path segment is percent-decoded on its own.
    Raises Refusal."""
    path, _, query = target.partition("?")
    route = r"/orgs/([^/]*)/projects/([^/]*)/workspaces/([^/]*)/(events|data)"
    match = re.fullmatch(re.escape(rules.api_path.rstrip("/")) + route, path)
    if match is None:
        raise Refusal(404, "not_found", "404 page not found")
    org, project, workspace = (_segment(part) for part in match.groups()[:3])
    for name, value, limit in (
        ("org", org, 128),
        ("project", project, 128),
        ("workspace", workspace, 1024),
    ):
        _check_length(name, value, limit)
    return Place(org, project, workspace, match[4]), parse_qs(query, keep_blank_values=True)


def decode(body: bytes, *, strict: bool) -> Any:
    """The event in a request's body; raises `Refusal` (400) where the service would."""
    value = _parse(body, strict=strict)
    if not isinstance(value, dict):
        raise Refusal(400, "decode_payload", "json: cannot unmarshal into SendEventRequestBody")
    errors = sorted(_validator(strict).iter_errors(value), key=lambda error: error.json_path)
    if errors:
        name = _goa_name(errors[0])
        raise Refusal(400, name, "; ".join(_goa_message(error) for error in errors))
    return value


def _segment(raw: str) -> str:
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise Refusal(400, "bad_request", "the path is not UTF-8") from None


def _check_length(name: str, value: str, limit: int) -> None:
    if not 1 <= len(value) <= limit:
        text = f"length of {name} must be between 1 and {limit} but got len={len(value)}"
        raise Refusal(400, "invalid_length", text)


def _check_caller(rules: Rules, headers: Mapping[str, str]) -> None:
    key, account = headers.get("x-api-key", ""), headers.get("harness-account", "")
    if not key or (rules.api_key is not None and key != rules.api_key):
        raise Refusal(401, "unauthorized", "the API key is missing, invalid or expired")
    _check_length("Harness-Account", account, 128)
    if rules.account is not None and account != rules.account:
        raise Refusal(403, "forbidden", "the key does not belong to this account")


def _check_existence(rules: Rules, place: Place) -> None:
    named = (place.org, place.project, place.workspace)
    if rules.workspaces is not None and named not in rules.workspaces:
        raise Refusal(404, "not_found", "no such workspace")


def _check_query(query: Mapping[str, list[str]]) -> None:
    for parameter in _operation("data")["parameters"]:
        if parameter["in"] != "query":
            continue
        values = query.get(parameter["name"], [""])
        if not values[0]:
            raise Refusal(400, "missing_field", f'"{parameter["name"]}" is missing from query')
        if values[0] not in parameter["schema"].get("enum", values):
            raise Refusal(400, "invalid_enum_value", f"bad value of {parameter['name']}")


class _Bad(ValueError):
    """JSON text that the server refuses."""


def _parse(body: bytes, *, strict: bool) -> Any:
    try:
        text = body.decode(errors="strict" if strict else "replace")
        if not text.strip(" \t\r\n"):
            raise Refusal(400, "missing_payload", "missing required payload")
        value, end = _decoder(strict).raw_decode(text, len(text) - len(text.lstrip(" \t\r\n")))
        if strict and text[end:].strip(" \t\r\n"):
            raise _Bad("bytes after the value")
        if strict:
            json.dumps(value, ensure_ascii=False).encode()  # lone surrogates
        return value
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "decode_payload", f"json: {error}") from None


def _decoder(strict: bool) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_unrepeated if strict else _as_go_reads,
        parse_constant=_no_constant,
    )


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Bad("a member is repeated")
    return members


def _as_go_reads(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Members as Go's decoder reads them: the last of repeated ones wins, null is skipped."""
    return {name: value for name, value in dict(pairs).items() if value is not None}


def _no_constant(name: str) -> None:
    raise _Bad(f"{name} is not JSON")


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(CONTRACT.read_text())
    return document


def _operation(kind: str) -> dict[str, Any]:
    paths = _document()["paths"]
    (found,) = (item["post"] for path, item in paths.items() if path.endswith("/" + kind))
    operation: dict[str, Any] = found
    return operation


@cache
def _validator(strict: bool) -> jsonschema.protocols.Validator:
    """The event schema's validator. OpenAPI 3.0 builds on draft 4, where 1.0 is no integer, as in
    Go."""
    schemas = yaml.safe_load(CONTRACT.read_text())["components"]["schemas"]
    for schema in schemas.values():
        if strict and "properties" in schema:
            schema["additionalProperties"] = False
    whole = {"$ref": "#/components/schemas/SendEventRequest", "components": {"schemas": schemas}}
    return jsonschema.Draft4Validator(whole, format_checker=_FORMATS)


_FORMATS = jsonschema.FormatChecker(formats=())


@_FORMATS.checks("int64")
def _fits_int64(value: object) -> bool:
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _goa_name(error: jsonschema.ValidationError) -> str:
    names = {"enum": "invalid_enum_value", "required": "missing_field", "type": "decode_payload"}
    return names.get(str(error.validator), "bad_request")


def _goa_message(error: jsonschema.ValidationError) -> str:
    where = "body" + error.json_path.removeprefix("$")
    if error.validator == "required":
        return f"{error.message.split(' is ')[0]} is missing from {where}"
    return f"{where}: {error.message}"
