"""Interprets the server's response to one POST (tests/data/contract/openapi.yaml)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime
from time import time
from urllib.parse import urlsplit

from msgspec import Struct

from tfevents.errors import DeliveryError, Refused, Unauthorized, Unreachable
from tfevents.journal.models import Destination
from tfevents.settings.model import ApiKey
from tfevents.terminal import printable

ID = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,126}[A-Za-z0-9])?"
"""An artifact's id: a UUID, or another server's form of id; too strict to contain free text."""
POLICIES = frozenset({"pass", "warning", "error"})
"""The values of `policy_evaluation_status`."""
REFUSED = frozenset({400, 404, 409, 413, 415, 422})
UNAUTHORIZED = frozenset({401, 403})


def check_response(
    status: int,
    headers: Mapping[str, str],
    answer: bytes,
    destination: Destination,
    key: ApiKey | None = None,
) -> None:
    """Raises the DeliveryError that a response stands for; returns where it is a success (2xx).

    `answer`: the body. `key`: the API key, which is removed from the server's words.
    """
    if 200 <= status < 300:
        return
    error = parse_error(answer, key)
    told = f"{status}{error.words}"
    if status in UNAUTHORIZED:
        raise Unauthorized(f"the server does not take this API key: {told}")
    if 300 <= status < 400:
        target = _describe_redirect(headers, key)
        raise DeliveryError(f"TFEVENTS_URL is not the service's own address{target}: {status}")
    if status == 407:
        raise Unreachable(f"the proxy wants a user and password: {status}", connected=False)
    if status == 404:
        raise Refused(f"no such place, {_describe_destination(destination)}: {told}")
    if status in REFUSED or not (_is_temporary(status) or error.temporary):
        raise Refused(f"the server refused the event: {told}")
    words = f"the server can't take it now: {told}"
    raise Unreachable(words, retry_after=parse_retry_after(headers), locked=status == 423)


def _describe_redirect(headers: Mapping[str, str], key: ApiKey | None) -> str:
    """Words for a redirect's target, or empty: only its host, as the rest may hold anything.

    Redirects are never followed, as the API key would be sent there too.
    """
    try:
        host = urlsplit(headers.get("location", "")).hostname
    except ValueError:
        host = None
    return f", it redirects to {_show(host, key, 100)}" if host else ""


def _is_temporary(status: int) -> bool:
    return status in (408, 423, 425, 429, 499) or status >= 500 or 100 <= status < 200


def _describe_destination(destination: Destination) -> str:
    return (
        f"org {destination.org}, project {destination.project}, workspace {destination.workspace}"
    )


class ApiError(Struct, frozen=True):
    """An error response's body.

    `words`: its name and message in parentheses, printable and bounded; empty where it has
    neither. `temporary`: whether it says that a retry may succeed.
    """

    words: str = ""
    temporary: bool = False


def parse_error(answer: bytes, key: ApiKey | None = None) -> ApiError:
    """Parses an error body of the service or of the gateway; an empty ApiError for any other."""
    try:
        body = json.loads(answer)
    except (ValueError, RecursionError):
        return ApiError()
    if not isinstance(body, dict):
        return ApiError()
    texts = (body.get("name") or body.get("code"), body.get("message"))
    words = _show(" ".join(word for word in texts if isinstance(word, str) and word), key)
    temporary = body.get("temporary") is True or body.get("timeout") is True
    return ApiError(f" ({words})" if words else "", temporary)


class StoredArtifact(Struct, frozen=True):
    """The response for a stored artifact.

    `policy`: one of POLICIES, or None. `words`: the policy's message in parentheses, or empty.
    """

    id: str
    policy: str | None = None
    words: str = ""


def parse_stored(answer: bytes, key: ApiKey | None = None) -> StoredArtifact:
    """Parses create-data's response. Raises Refused where it has no valid id."""
    try:
        body = json.loads(answer)
        found = body["id"]
    except (ValueError, RecursionError, KeyError, TypeError):
        found = None
    if not isinstance(found, str) or not found:
        raise Refused("the server's answer has no id")
    if not _is_id(found, key):
        raise Refused("the server's answer has an invalid id")
    policy, message = (body.get(f"policy_evaluation_{name}") for name in ("status", "message"))
    words = _show(message, key) if isinstance(message, str) else ""
    known = policy if isinstance(policy, str) and policy in POLICIES else None
    return StoredArtifact(found, known, f" ({words})" if words else "")


def _is_id(text: str, key: ApiKey | None) -> bool:
    """Whether `text` is a valid id that doesn't contain the API key, which a server may echo."""
    return re.fullmatch(ID, text) is not None and _without_key(text, key) == text


def _show(text: str, key: ApiKey | None, most: int = 200) -> str:
    """A server's text made safe to show: printable, at most `most` characters, without the key."""
    plain = "".join(character for character in text if character.isprintable())
    if _without_key(plain, key) != plain:
        return _without_key(plain, key)[:most]
    return printable(text)[:most]


def _without_key(text: str, key: ApiKey | None) -> str:
    """`text` with `***` for the API key and its secret segments, which a server may echo.

    Upper and lower case are ignored.
    """
    for secret in (key.secret, *key.secret.split(".")[2:]) if key else ():
        text = re.sub(re.escape(secret), "***", text, flags=re.IGNORECASE) if secret else text
    return text


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that Retry-After asks to wait, as a number or a date; None where unusable.

    A date without a time zone, as of C's asctime, is in UTC (RFC 9110 §5.6.7).
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
        date = date if date.tzinfo else date.replace(tzinfo=timezone.utc)
        return max(0.0, date.timestamp() - time())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
