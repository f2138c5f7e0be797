"""What a server's answer to one POST means (tests/data/contract/openapi.yaml)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from urllib.parse import urlsplit

from msgspec import Struct

from tfevents.errors import DeliveryError, Refused, Unauthorized, Unreachable
from tfevents.journal.models import Destination
from tfevents.settings.model import Key
from tfevents.terminal import printable

ID = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,126}[A-Za-z0-9])?"
"""Of an artefact: a UUID, or what another server has instead; nothing that a text could hide in."""
POLICIES = frozenset({"pass", "warning", "error"})
"""What an evaluation may say."""
REFUSED = frozenset({400, 404, 409, 413, 415, 422})
UNAUTHORIZED = frozenset({401, 403})


def check_response(
    status: int,
    headers: Mapping[str, str],
    answer: bytes,
    destination: Destination,
    key: Key | None = None,
) -> None:
    """Raises what an answer means; returns where the event was taken."""
    if 200 <= status < 300:
        return
    error = parse_error(answer, key)
    told = f"{status}{error.words}"
    if status in UNAUTHORIZED:
        raise Unauthorized(f"the server does not take this API key: {told}")
    if 300 <= status < 400:
        elsewhere = _elsewhere(headers, key)
        raise DeliveryError(f"TFEVENTS_URL is not the service's own{elsewhere}: {status}")
    if status == 407:
        raise Unreachable(f"the proxy wants to know who we are: {status}", connected=False)
    if status == 404:
        raise Refused(f"no such place, {_names(destination)}: {told}")
    if status in REFUSED or not (_again(status) or error.temporary):
        raise Refused(f"the server refused the event: {told}")
    raise Unreachable(f"the server can't take it now: {told}", again=parse_retry_after(headers))


def _elsewhere(headers: Mapping[str, str], key: Key | None) -> str:
    """Where a redirect leads: only the host, the rest may hold anything. It is never followed,
    for the key would go there too."""
    try:
        host = urlsplit(headers.get("location", "")).hostname
    except ValueError:
        host = None
    return f", it points to {_show(host, key, 100)}" if host else ""


def _again(status: int) -> bool:
    return status in (408, 423, 425, 429, 499) or status >= 500 or 100 <= status < 200


def _names(where: Destination) -> str:
    return f"org {where.org}, project {where.project}, workspace {where.workspace}"


class ApiError(Struct, frozen=True):
    """What an error's body says: bounded, printable, and never more than its name and message."""

    words: str = ""
    temporary: bool = False


def parse_error(answer: bytes, key: Key | None = None) -> ApiError:
    """An error's body: the service's envelope, the gateway's, or anything else (nothing of it)."""
    try:
        body = json.loads(answer)
    except (ValueError, RecursionError):
        return ApiError()
    if not isinstance(body, dict):
        return ApiError()
    said = (body.get("name") or body.get("code"), body.get("message"))
    words = _show(" ".join(word for word in said if isinstance(word, str) and word), key)
    temporary = body.get("temporary") is True or body.get("timeout") is True
    return ApiError(f" ({words})" if words else "", temporary)


class StoredArtifact(Struct, frozen=True):
    """What became of an artefact: its id, and a policy's word on it."""

    id: str
    policy: str | None = None
    words: str = ""


def parse_stored(answer: bytes, key: Key | None = None) -> StoredArtifact:
    """The answer of create-data. Raises Refused where it has no id."""
    try:
        body = json.loads(answer)
        found = body["id"]
    except (ValueError, RecursionError, KeyError, TypeError):
        found = None
    if not isinstance(found, str) or not found:
        raise Refused("the server's answer has no id")
    if not _is_id(found, key):
        raise Refused("the server's answer has an id that is none")
    policy, message = (body.get(f"policy_evaluation_{name}") for name in ("status", "message"))
    words = _show(message, key) if isinstance(message, str) else ""
    known = policy if isinstance(policy, str) and policy in POLICIES else None
    return StoredArtifact(found, known, f" ({words})" if words else "")


def _is_id(text: str, key: Key | None) -> bool:
    """Whether it may be kept and sent on: a server may say the key back here, too."""
    return re.fullmatch(ID, text) is not None and _without_key(text, key) == text


def _show(text: str, key: Key | None, most: int = 200) -> str:
    """A server's words as they may be shown: printable, bounded, and not the key said back."""
    plain = "".join(character for character in text if character.isprintable())
    if _without_key(plain, key) != plain:
        return _without_key(plain, key)[:most]
    return printable(text)[:most]


def _without_key(text: str, key: Key | None) -> str:
    """A hostile or chatty server may say the key back, in whatever capitals: its words are kept."""
    for secret in (key.secret, *key.secret.split(".")[2:]) if key else ():
        text = re.sub(re.escape(secret), "***", text, flags=re.IGNORECASE) if secret else text
    return text


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, given as a number or as a date; None where it says nothing usable."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
