"""One event, one POST: what the server's answer means (contract/README.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Any
from urllib.parse import quote

import httpx

from tfevents import __version__
from tfevents.errors import Refused, SettingError, Unauthorized, Unreachable
from tfevents.journal import Destination
from tfevents.settings import Settings

CONNECT_SECONDS, READ_SECONDS = 2.0, 5.0
REFUSED = frozenset({400, 404, 409, 413, 415, 422})
UNAUTHORIZED = frozenset({401, 403})
LARGEST_ANSWER = 65536


class Uploader:
    """A connection to one server with one key; opened once per process."""

    def __init__(self, settings: Settings) -> None:
        if settings.api_key is None:
            raise SettingError("no API key is set: set TFEVENTS_API_KEY")
        self._settings = settings
        self._client = httpx.Client(
            headers={
                "x-api-key": settings.api_key.secret,
                "Accept": "application/json",
                "User-Agent": f"tfevents/{__version__}",
            },
            verify=_context(settings.ca_bundle),
            follow_redirects=False,
        )

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def send(self, body: Mapping[str, Any], destination: Destination, seconds: float) -> None:
        """Delivers one event. Raises Refused, Unauthorized or Unreachable."""
        status, headers, answer = self._post(body, destination, max(seconds, 0.05))
        judge(status, headers, self._without_key(answer), destination)

    def _without_key(self, answer: bytes) -> bytes:
        """A hostile or chatty server may say the key back: its words go to a log."""
        key = self._settings.api_key
        for secret in (key.secret, *key.secret.split(".")[2:]) if key else ():
            answer = answer.replace(secret.encode(), b"***")
        return answer

    def _post(
        self, body: Mapping[str, Any], destination: Destination, seconds: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        timeout = httpx.Timeout(
            min(READ_SECONDS, seconds), connect=min(CONNECT_SECONDS, seconds)
        )
        try:
            with self._client.stream(
                "POST",
                self._settings.url + self._settings.api_path + path_of(destination),
                content=json.dumps(body, ensure_ascii=False).encode(),
                headers={
                    "Content-Type": "application/json",
                    "Harness-Account": destination.account or "",
                },
                timeout=timeout,
            ) as response:
                return response.status_code, response.headers, _bounded(response, time() + seconds)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            reason = f"no connection to {self._host}: {_why(error)}"
            raise Unreachable(reason, connected=False) from None
        except httpx.HTTPError as error:
            raise Unreachable(f"no answer from {self._host}: {_why(error)}") from None
        except (httpx.InvalidURL, UnicodeError, ValueError) as error:
            raise Refused(f"this can't be sent: {type(error).__name__}") from None

    @property
    def _host(self) -> str:
        return httpx.URL(self._settings.url).netloc.decode(errors="replace")


def path_of(destination: Destination) -> str:
    """The events' path of a workspace; every segment is percent-encoded."""
    parts = (destination.org, destination.project, destination.workspace)
    org, project, workspace = (quote(part or "", safe="") for part in parts)
    return f"/orgs/{org}/projects/{project}/workspaces/{workspace}/events"


def _context(ca_bundle: str | None) -> Any:
    """The system's roots, or one bundle. Raises SettingError for a bundle that is none."""
    import ssl

    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ssl.SSLError):
        raise SettingError(f"TFEVENTS_CA_BUNDLE: {ca_bundle} holds no certificates") from None


def _bounded(response: httpx.Response, deadline: float) -> bytes:
    """As much of the answer as can mean anything; one that drips is cut off at the deadline."""
    answer = b""
    if response.is_success:
        return answer
    try:
        for chunk in response.iter_bytes():
            answer += chunk
            if len(answer) > LARGEST_ANSWER or time() > deadline:
                break
    except httpx.HTTPError:
        pass  # the status is what counts
    return answer[:LARGEST_ANSWER]


def judge(
    status: int, headers: Mapping[str, str], answer: bytes, destination: Destination
) -> None:
    """Raises what an answer means; returns where the event was taken."""
    if 200 <= status < 300:
        return
    said = read_error(answer)
    told = f"{status}{said.words}"
    if status in UNAUTHORIZED:
        raise Unauthorized(f"the server does not take this API key: {told}")
    if status == 404:
        raise Refused(f"no such place, {_names(destination)}: {told}")
    if status in REFUSED or not (_again(status) or said.temporary):
        raise Refused(f"the server refused the event: {told}")
    raise Unreachable(f"the server can't take it now: {told}", again=retry_after(headers))


def _again(status: int) -> bool:
    return status in (408, 423, 425, 429, 499) or status >= 500 or 100 <= status < 200


def _names(where: Destination) -> str:
    return f"org {where.org}, project {where.project}, workspace {where.workspace}"


class Said:
    """What an error's body says: bounded, printable, and never more than its name and message."""

    def __init__(self, name: str = "", message: str = "", temporary: bool = False) -> None:
        text = " ".join(part for part in (name, message) if part)
        text = "".join(c if c.isprintable() else " " for c in text)[:200]
        self.words = f" ({text})" if text else ""
        self.temporary = temporary


def read_error(answer: bytes) -> Said:
    """An error's body: the service's envelope, the gateway's, or anything else (nothing of it)."""
    try:
        body = json.loads(answer)
    except (ValueError, RecursionError):
        return Said()
    if not isinstance(body, dict):
        return Said()
    name, message = (body.get("name") or body.get("code")), body.get("message")
    temporary = body.get("temporary") is True or body.get("timeout") is True
    return Said(_text(name), _text(message), temporary)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, given as a number or as a date; None where it says nothing usable."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _why(error: httpx.HTTPError) -> str:
    """The kind of failure; the text may quote what it was given."""
    return type(error).__name__
