"""One event, one POST: what the server's answer means (contract/README.md)."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from socket import gaierror
from time import monotonic, time
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from tfevents import __version__
from tfevents.errors import DeliveryError, Refused, SettingError, Unauthorized, Unreachable
from tfevents.journal import Destination
from tfevents.settings import Key, Settings

CONNECT_SECONDS, READ_SECONDS = 2.0, 5.0
REFUSED = frozenset({400, 404, 409, 413, 415, 422})
UNAUTHORIZED = frozenset({401, 403})
LARGEST_ANSWER = 65536
LEAST_SECONDS, MOST_SECONDS = 0.05, 10.0


@dataclass
class Answer:
    """What is known of one request so far; `over`: there is no more to come."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: Exception | None = None
    over: threading.Event = field(default_factory=threading.Event)


class Uploader:
    """A connection to one server with one key; opened once per process."""

    def __init__(self, settings: Settings) -> None:
        if settings.api_key is None:
            raise SettingError("no API key is set: set TFEVENTS_API_KEY")
        self._settings, self._key = settings, settings.api_key
        context = _context(settings.ca_bundle)
        headers = {
            "x-api-key": settings.api_key.secret,
            "Accept": "application/json",
            "User-Agent": f"tfevents/{__version__}",
        }
        try:
            self._client = httpx.Client(headers=headers, verify=context, follow_redirects=False)
        except (ImportError, ValueError, httpx.InvalidURL):  # the text holds the proxy's password
            names = "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or NO_PROXY"
            raise SettingError(f"{names}: this kind of proxy or address can't be used") from None

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def send(self, body: Mapping[str, Any], destination: Destination, seconds: float) -> None:
        """Delivers one event, within `seconds`. Raises a DeliveryError."""
        bounded = min(max(seconds, LEAST_SECONDS), MOST_SECONDS)
        answer = self._post(body, destination, bounded)
        if answer.status is None:
            raise self._failure(answer.error)
        judge(answer.status, answer.headers, answer.body, destination, self._key)

    def _post(self, body: Mapping[str, Any], destination: Destination, seconds: float) -> Answer:
        """What was answered in time. Reading is done by a thread: timeouts are for one read, and a
        name server or an answer that drips knows none."""
        answer = Answer()
        request = self._request(body, destination, seconds)
        reading = (request, answer, monotonic() + seconds)
        threading.Thread(target=self._read, args=reading, name="upload", daemon=True).start()
        answer.over.wait(seconds)
        return answer

    def _request(
        self, body: Mapping[str, Any], destination: Destination, seconds: float
    ) -> httpx.Request:
        sooner = 0.9 * seconds  # httpx knows better what it has waited for
        timeout = httpx.Timeout(min(READ_SECONDS, sooner), connect=min(CONNECT_SECONDS, sooner))
        try:
            return self._client.build_request(
                "POST",
                self._settings.url + self._settings.api_path + path_of(destination),
                content=json.dumps(body, ensure_ascii=False, allow_nan=False).encode(),
                headers={
                    "Content-Type": "application/json",
                    "Harness-Account": destination.account or "",
                },
                timeout=timeout,
            )
        except httpx.InvalidURL:
            raise DeliveryError("TFEVENTS_URL: this is no URL of a server") from None
        except ValueError:
            raise Refused("this event can't be sent: it is no JSON") from None

    def _read(self, request: httpx.Request, answer: Answer, deadline: float) -> None:
        try:
            response = self._client.send(request, stream=True)
            try:
                answer.headers, answer.status = response.headers, response.status_code
                for chunk in _body(response):
                    answer.body += chunk
                    if len(answer.body) > LARGEST_ANSWER or monotonic() > deadline:
                        break
            finally:
                response.close()
        except Exception as error:  # handed over to `send`
            answer.error = error
        finally:
            answer.over.set()

    def _failure(self, error: Exception | None) -> Unreachable:
        """Why there is no answer."""
        missed = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
        connected = not isinstance(error, missed)
        what = "no answer from" if connected else "no connection to"
        return Unreachable(f"{what} {self._host}: {_why(error)}", connected=connected)

    @property
    def _host(self) -> str:
        return urlsplit(self._settings.url).netloc


def path_of(destination: Destination) -> str:
    """The events' path of a workspace; every segment is percent-encoded."""
    parts = (destination.org, destination.project, destination.workspace)
    org, project, workspace = (_segment(part or "") for part in parts)
    return f"/orgs/{org}/projects/{project}/workspaces/{workspace}/events"


def _segment(text: str) -> str:
    """Also `.` and `..`, which mean something in a path."""
    return quote(text, safe="") if text.strip(".") else text.replace(".", "%2E")


def _context(ca_bundle: str | None) -> ssl.SSLContext:
    """One bundle, else the system's roots, else those that come with httpx. Raises SettingError
    for a bundle that is none."""
    try:
        context = ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ssl.SSLError):
        raise SettingError(f"TFEVENTS_CA_BUNDLE: {ca_bundle} holds no certificates") from None
    roots = ssl.get_default_verify_paths()
    if not (ca_bundle or roots.cafile or roots.capath):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _body(response: httpx.Response) -> Iterator[bytes]:
    """The body of a refusal; of a 2xx only the end that is there already, which frees the
    connection for the next event."""
    if not response.is_success or response.headers.get("content-length") == "0":
        yield from response.iter_bytes()


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
    try:
        host = urlsplit(headers.get("location", "")).hostname
    except ValueError:
        host = None
    return f", it points to {printable(host)[:100]}" if host else ""


def _again(status: int) -> bool:
    return status in (408, 423, 425, 429, 499) or status >= 500 or 100 <= status < 200


def _names(where: Destination) -> str:
    return f"org {where.org}, project {where.project}, workspace {where.workspace}"


@dataclass(frozen=True)
class Said:
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


def _without_key(text: str, key: Key | None) -> str:
    """A hostile or chatty server may say the key back: its words go to a log."""
    for secret in (key.secret, *key.secret.split(".")[2:]) if key else ():
        text = text.replace(secret, "***") if secret else text
    return text


def printable(text: str) -> str:
    """One line of visible characters."""
    return "".join(character if character.isprintable() else " " for character in text)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, given as a number or as a date; None where it says nothing usable."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


WHY: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "its certificate is not trusted (see TFEVENTS_CA_BUNDLE)"),
    (ssl.SSLError, "it does not speak TLS as we do"),
    (gaierror, "its name is not known"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionResetError, "connection reset"),
    (httpx.ProxyError, "the proxy does not let us through"),
    (httpx.ConnectTimeout, f"none within {CONNECT_SECONDS:g} s"),
    (httpx.TimeoutException, "out of time"),
    (httpx.RemoteProtocolError, "it hung up, or does not speak HTTP"),
)


def _why(error: BaseException | None) -> str:
    """The kind of failure, of the innermost cause that says more; never its text, which may quote
    what it was given."""
    if error is None:
        return "out of time"
    chain = list(_causes(error))
    for kind, words in WHY:
        if any(isinstance(cause, kind) for cause in chain):
            return words
    return type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
