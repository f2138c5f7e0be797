"""One event, one POST: what the server's answer means (contract/README.md)."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from time import time
from typing import Any

from msgspec import Struct

from tfevents import __version__
from tfevents.delivery.exchange import Letter
from tfevents.delivery.wire import Answer, Wire
from tfevents.errors import DeliveryError, Refused, SettingError, Unauthorized, Unreachable
from tfevents.journal.models import Destination
from tfevents.settings import url
from tfevents.settings.model import Key, Settings
from tfevents.terminal import printable

ID = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,126}[A-Za-z0-9])?"
"""Of an artefact: a UUID, or what another server has instead; nothing that a text could hide in."""
REFUSED = frozenset({400, 404, 409, 413, 415, 422})
UNAUTHORIZED = frozenset({401, 403})
LEAST_SECONDS, MOST_SECONDS = 0.05, 10.0
PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy"})


class Uploader:
    """A connection to one server with one key; opened once per process."""

    def __init__(self, settings: Settings) -> None:
        if settings.api_key is None:
            raise SettingError("no API key is set: set TFEVENTS_API_KEY")
        server, self._key = url.parse(settings.url), settings.api_key
        self._host, self._path = server.netloc, server.path + settings.api_path
        if _is_proxied():
            from tfevents.delivery.proxied import Proxied

            self._line: Wire | Proxied = Proxied(server, settings.ca_bundle)
        else:
            self._line = Wire(server, settings.ca_bundle)

    def open(self) -> None:
        """Begins to connect: the first event won't have to wait for it."""
        self._line.open()

    def close(self) -> None:
        """Closes the connection."""
        self._line.close()

    def send(self, body: Mapping[str, Any], destination: Destination, seconds: float) -> None:
        """Delivers one event, within `seconds`. Raises a DeliveryError."""
        bounded = min(max(seconds, LEAST_SECONDS), MOST_SECONDS)
        answer = self._post(self._letter(body, destination), bounded)
        if answer.status is None:
            raise self._failure(answer)
        judge(answer.status, answer.headers, answer.body, destination, self._key)

    def store(
        self, path: str, query: Mapping[str, str], destination: Destination, seconds: float
    ) -> Stored:
        """Stores a file's bytes, streamed, within `seconds`. Raises a DeliveryError or OSError."""
        from urllib.parse import urlencode  # slow to wake, and most runs store nothing

        with open(path, "rb") as file:
            headers = {
                **self._headers(destination),
                "Content-Type": "application/octet-stream",
                "Content-Length": str(os.fstat(file.fileno()).st_size),
            }
            target = f"{self._path}{path_of(destination, 'data')}?{urlencode(query)}"
            answer = self._post(Letter(target, headers, file, asks=True), seconds)
        if answer.status is None or not answer.over.is_set():
            raise self._failure(answer)
        judge(answer.status, answer.headers, answer.body, destination, self._key)
        return read_stored(answer.body, self._key)

    def _letter(self, body: Mapping[str, Any], destination: Destination) -> Letter:
        try:
            text = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        except ValueError:
            raise Refused("this event can't be sent: it is no JSON") from None
        headers = {"Content-Type": "application/json", **self._headers(destination)}
        return Letter(self._path + path_of(destination), headers, text)

    def _headers(self, destination: Destination) -> dict[str, str]:
        return {
            "Accept": "application/json",
            "Harness-Account": destination.account or "",
            "User-Agent": f"tfevents/{__version__}",
            "x-api-key": self._key.secret,
        }

    def _post(self, letter: Letter, seconds: float) -> Answer:
        """What was answered in time. Reading is done by a thread: timeouts are for one read, and a
        name server or an answer that drips knows none."""
        answer = Answer()
        reading = (letter, answer, 0.9 * seconds)  # the line knows better what it has waited for
        threading.Thread(target=self._read, args=reading, name="upload", daemon=True).start()
        answer.over.wait(seconds)
        return answer

    def _read(self, letter: Letter, answer: Answer, seconds: float) -> None:
        try:
            self._line.post(letter, answer, seconds)
        finally:
            answer.over.set()

    def _failure(self, answer: Answer) -> Unreachable:
        """Why there is no answer."""
        what = "no answer from" if answer.connected else "no connection to"
        return Unreachable(f"{what} {self._host}: {answer.why}", connected=answer.connected)


def _is_proxied() -> bool:
    """Whether the environment, or macOS, names a proxy."""
    if sys.platform == "darwin":
        from urllib.request import getproxies

        return bool(getproxies())
    return any(value for name, value in os.environ.items() if name.lower() in PROXIES)


def path_of(destination: Destination, kind: str = "events") -> str:
    """The path of a workspace's events or data; every segment is percent-encoded."""
    parts = (destination.org, destination.project, destination.workspace)
    org, project, workspace = (url.segment(part or "") for part in parts)
    return f"/orgs/{org}/projects/{project}/workspaces/{workspace}/{kind}"


def judge(
    status: int,
    headers: Mapping[str, str],
    answer: bytes,
    destination: Destination,
    key: Key | None = None,
) -> None:
    """Raises what an answer means; returns where the event was taken."""
    if 200 <= status < 300:
        return
    said = read_error(answer, key)
    told = f"{status}{said.words}"
    if status in UNAUTHORIZED:
        raise Unauthorized(f"the server does not take this API key: {told}")
    if 300 <= status < 400:
        raise DeliveryError(f"TFEVENTS_URL is not the service's own{_elsewhere(headers)}: {status}")
    if status == 407:
        raise Unreachable(f"the proxy wants to know who we are: {status}", connected=False)
    if status == 404:
        raise Refused(f"no such place, {_names(destination)}: {told}")
    if status in REFUSED or not (_again(status) or said.temporary):
        raise Refused(f"the server refused the event: {told}")
    raise Unreachable(f"the server can't take it now: {told}", again=retry_after(headers))


def _elsewhere(headers: Mapping[str, str]) -> str:
    """Where a redirect leads: only the host, the rest may hold anything. It is never followed,
    for the key would go there too."""
    from urllib.parse import urlsplit  # slow to wake, and this is a mistake in the settings

    try:
        host = urlsplit(headers.get("location", "")).hostname
    except ValueError:
        host = None
    return f", it points to {printable(host)[:100]}" if host else ""


def _again(status: int) -> bool:
    return status in (408, 423, 425, 429, 499) or status >= 500 or 100 <= status < 200


def _names(where: Destination) -> str:
    return f"org {where.org}, project {where.project}, workspace {where.workspace}"


class Said(Struct, frozen=True):
    """What an error's body says: bounded, printable, and never more than its name and message."""

    words: str = ""
    temporary: bool = False


def read_error(answer: bytes, key: Key | None = None) -> Said:
    """An error's body: the service's envelope, the gateway's, or anything else (nothing of it)."""
    try:
        body = json.loads(answer)
    except (ValueError, RecursionError):
        return Said()
    if not isinstance(body, dict):
        return Said()
    said = (body.get("name") or body.get("code"), body.get("message"))
    words = _without_key(" ".join(word for word in said if isinstance(word, str) and word), key)
    temporary = body.get("temporary") is True or body.get("timeout") is True
    return Said(f" ({printable(words)[:200]})" if words else "", temporary)


class Stored(Struct, frozen=True):
    """What became of an artefact: its id, and a policy's word on it."""

    id: str
    policy: str | None = None
    words: str = ""


def read_stored(answer: bytes, key: Key | None = None) -> Stored:
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
    words = printable(_without_key(message, key))[:200] if isinstance(message, str) else ""
    known = policy if isinstance(policy, str) else None
    return Stored(found, known, f" ({words})" if words else "")


def _is_id(text: str, key: Key | None) -> bool:
    """Whether it may be kept and sent on: a server may say the key back here, too."""
    import re  # most runs store nothing

    return re.fullmatch(ID, text) is not None and _without_key(text, key) == text


def _without_key(text: str, key: Key | None) -> str:
    """A hostile or chatty server may say the key back: its words go to a log."""
    for secret in (key.secret, *key.secret.split(".")[2:]) if key else ():
        text = text.replace(secret, "***") if secret else text
    return text


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, given as a number or as a date; None where it says nothing usable."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    from email.utils import parsedate_to_datetime  # rarely a date, and slow to wake

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
