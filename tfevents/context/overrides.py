"""Parses TFEVENTS_METADATA_<FIELD>, the variables that replace metadata from git and CI."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from tfevents import text
from tfevents.context import ci
from tfevents.errors import InvalidEvent, SettingError
from tfevents.events.body import MESSAGE
from tfevents.events.schema import check_event, metadata_fields

METADATA_PREFIX = "TFEVENTS_METADATA_"


def parse_overrides(env: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata fields that environment variables set. `schema`: field → its JSON Schema.

    Texts are cleaned; all other fields are parsed as JSON. Raises SettingError for the first
    variable that can't be used.
    """
    found, errors = gather_overrides(env, schema)
    if errors:
        raise errors[0]
    return found


def gather_overrides(
    env: Mapping[str, str], schema: Mapping[str, Any]
) -> tuple[dict[str, Any], list[SettingError]]:
    """The fields that can be used, and an error for each variable that can't be."""
    fields = {name.upper(): name for name in schema}
    found, errors = {}, []
    for variable, value in env.items():
        if variable.startswith(METADATA_PREFIX) and value.strip():
            try:
                name = fields.get(variable.removeprefix(METADATA_PREFIX))
                if name is None:
                    raise SettingError(f"{variable}: the contract has no such metadata field")
                found[name] = _parse_value(variable, value.strip(), schema[name], name)
            except SettingError as error:
                errors.append(error)
    return found, errors


def gather_valid_overrides(env: Mapping[str, str]) -> tuple[dict[str, Any], list[SettingError]]:
    """As `gather_overrides`, for the contract's fields; also validates each value against it."""
    found, errors = gather_overrides(env, metadata_fields())
    valid = {}
    for name, value in found.items():
        try:
            check_event({"event_type": "plan", "metadata": {name: value}})
            valid[name] = value
        except InvalidEvent as error:
            errors.append(SettingError(f"{METADATA_PREFIX}{name.upper()}: {error}"))
    return valid, errors


def _parse_value(variable: str, value: str, kind: Mapping[str, Any], name: str) -> Any:
    if len(value.encode(errors="replace")) > text.MESSAGE_BYTES:
        raise SettingError(f"{variable}: at most {text.MESSAGE_BYTES} bytes, please")
    if name == "git_repo":
        return _parse_address(variable, value)
    if name == "git_commit_sha":
        return _parse_sha(variable, value)
    if kind.get("type") == "string":
        return _parse_text(variable, value, name)
    try:
        found = json.loads(value, parse_constant=_refuse_constant, parse_float=_parse_float)
    except (ValueError, RecursionError):
        raise SettingError(f"{variable}: this takes JSON, for example true or {{}}") from None
    if isinstance(found, dict) and isinstance(found.get("url"), str):
        found["url"] = _parse_address(variable, found["url"])
    return found


def _parse_text(variable: str, value: str, name: str) -> str | None:
    """The cleaned text, one line except for a commit message; None if nothing of it remains."""
    if name == MESSAGE:
        return text.clean_message(value)
    if len(value.encode(errors="replace")) > text.VALUE_BYTES:
        raise SettingError(f"{variable}: at most {text.VALUE_BYTES} bytes, please")
    return text.clean(value)


def _parse_sha(variable: str, value: str) -> str:
    sha = text.clean_sha(value)
    if sha is None:
        raise SettingError(f"{variable}: this takes a commit's hash, in hexadecimal")
    return sha


def _parse_address(variable: str, value: str) -> str:
    address = ci.sanitize_address(value)
    if address is None:
        raise SettingError(f"{variable}: this takes an address that names a host")
    return address


def _refuse_constant(constant: str) -> None:
    """Rejects NaN and Infinity, which Python accepts but JSON does not define."""
    raise ValueError(constant)


def _parse_float(number: str) -> float:
    """Rejects numbers such as 1e999, which Python reads as infinite: JSON can't have them."""
    found = float(number)
    if not math.isfinite(found):
        raise ValueError(number)
    return found
