"""Sends requests to the service with httpx: one POST each, within a deadline, in bounded memory.

The only module that sends HTTP requests.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from copy import copy
from math import inf
from typing import Any, BinaryIO
from urllib.parse import quote

from msgspec import Struct, field

from tfevents import __version__
from tfevents.deadline import Deadline
from tfevents.delivery.responses import StoredArtifact, check_response, parse_stored
from tfevents.errors import DeliveryError, Refused, SettingError, Unreachable
from tfevents.journal.models import Destination
from tfevents.settings.model import ApiKey, Settings

UNUSED = {"httpx._main", "anyio"} - sys.modules.keys()
"""httpx' command line and async support, which we never use. httpx treats both as optional; a None
entry in sys.modules makes their import fail, which saves import time."""
sys.modules |= dict.fromkeys(UNUSED)  # type: ignore[arg-type]  # None makes the import fail
import httpcore  # noqa: E402, F401  # httpx would import it while an event waits
import httpx  # noqa: E402  # must follow the None entries above

for name in UNUSED:  # `tfevents receive` needs anyio in this process
    del sys.modules[name]

CONNECT_SECONDS, READ_SECONDS = 2.0, 5.0
BAD_REQUEST = 400
MOST_SECONDS = 10.0
"""The longest that one event's request may take, in seconds."""
LARGEST_RESPONSE = 65536


class Exchange(Struct):
    """One request's response as far as it has been received.

    `status` is None until the response headers have come. `over` is set when the response is
    complete or `error` has ended it.
    """

    status: int | None = None
    headers: Mapping[str, str] = {}
    body: bytes = b""
    error: Exception | None = None
    over: threading.Event = field(default_factory=threading.Event)


class ApiClient:
    """A client of one server with one API key; it reuses its connections between requests."""

    def __init__(self, settings: Settings) -> None:
        """Raises SettingError without an API key, and for an unusable URL, CA bundle or proxy."""
        if settings.api_key is None:
            raise SettingError("no API key is set: set TFEVENTS_API_KEY")
        self._key, self._base = settings.api_key, settings.url + settings.api_path
        try:
            server = httpx.URL(settings.url)
        except httpx.InvalidURL:
            raise SettingError("TFEVENTS_URL: this is no URL of a server") from None
        self._host = server.netloc.decode()
        self._http = _open(_create_context(server.scheme, settings.ca_bundle))

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def with_key(self, key: ApiKey) -> ApiClient:
        """A client of the same server that shares the connections, with another API key."""
        other = copy(self)
        other._key = key
        return other

    def send_event(
        self, body: Mapping[str, Any], destination: Destination, deadline: Deadline
    ) -> None:
        """Sends one event. Raises a DeliveryError unless the server has accepted it."""
        try:
            text = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        except ValueError:
            raise Refused("this event can't be sent: it can't be written as JSON") from None
        self.send_text(text, destination, deadline)

    def send_text(self, text: bytes, destination: Destination, deadline: Deadline) -> None:
        """As `send_event`, for an event that is encoded as JSON already."""
        request = self._build_request(destination, "events", text)
        request.headers["Content-Type"] = "application/json"
        exchange = self._post(request, deadline, MOST_SECONDS)
        self._check(exchange, destination)

    def check_access(self, destination: Destination, deadline: Deadline) -> None:
        """Checks that the server accepts this API key for this workspace. Raises a DeliveryError.

        Sends an event without its one required member, `event_type`: a server that accepts the key
        answers 400 (contract: bad_request), and none can record the event.
        """
        request = self._build_request(destination, "events", b"{}")
        request.headers["Content-Type"] = "application/json"
        exchange = self._post(request, deadline, MOST_SECONDS)
        if exchange.status != BAD_REQUEST:
            self._check(exchange, destination)

    def store_artifact(
        self, path: str, query: Mapping[str, str], destination: Destination, deadline: Deadline
    ) -> StoredArtifact:
        """Uploads the file at `path`, streamed. Raises a DeliveryError or OSError."""
        with open(path, "rb") as file:
            return self.store_file(file, query, destination, deadline)

    def store_file(
        self, file: BinaryIO, query: Mapping[str, str], destination: Destination, deadline: Deadline
    ) -> StoredArtifact:
        """As `store_artifact`, for a file that is open. Raises a DeliveryError."""
        request = self._build_request(destination, "data", file, query)
        request.headers["Content-Type"] = "application/octet-stream"
        exchange = self._post(request, deadline)
        if not exchange.over.is_set():
            raise self._make_error(exchange)
        self._check(exchange, destination)
        return parse_stored(exchange.body, self._key)

    def _build_request(
        self,
        destination: Destination,
        kind: str,
        content: bytes | BinaryIO,
        query: Mapping[str, str] | None = None,
    ) -> httpx.Request:
        """A POST request. Raises Refused for values that can't be part of a URL or header."""
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Harness-Account": destination.account or "",
            "User-Agent": f"tfevents/{__version__}",
            "x-api-key": self._key.secret,
        }
        url = self._base + path_of(destination, kind)
        try:
            return self._http.build_request(
                "POST", url, params=query, headers=headers, content=content
            )
        except (httpx.InvalidURL, ValueError):
            problem = "its account, org, project or workspace can't be part of a URL or header"
            raise Refused(f"this event can't be sent: {problem}") from None

    def _post(self, request: httpx.Request, deadline: Deadline, most: float = inf) -> Exchange:
        """Sends a request and returns its exchange, complete or not, at the deadline at the latest.

        `most`: seconds, where the deadline leaves more. A thread sends it: httpx' timeouts limit a
        single read, but neither a DNS lookup nor a response that arrives in small pieces.
        """
        seconds = min(deadline.seconds_left, most)
        limit = 0.9 * seconds  # httpx times out before we do: its error is more precise
        timeout = httpx.Timeout(min(READ_SECONDS, limit), connect=min(CONNECT_SECONDS, limit))
        request.extensions["timeout"] = timeout.as_dict()
        exchange = Exchange()
        threading.Thread(target=self._run, args=(request, exchange), daemon=True).start()
        deadline.wait(exchange.over, seconds)
        return exchange

    def _run(self, request: httpx.Request, exchange: Exchange) -> None:
        """Sends the request and fills in the exchange while the response arrives."""
        try:
            response = self._http.send(request, stream=True)
            exchange.headers, exchange.status = response.headers, response.status_code
            with closing(response):
                for piece in response.iter_raw():
                    exchange.body += piece
                    if len(exchange.body) > LARGEST_RESPONSE:
                        break
        except (httpx.HTTPError, OSError, ValueError, RuntimeError) as error:  # or closed meanwhile
            exchange.error = error
        finally:
            exchange.over.set()

    def _check(self, exchange: Exchange, destination: Destination) -> None:
        """Raises a DeliveryError for an error response, a failed request or no timely response."""
        if exchange.status is None:
            raise self._make_error(exchange)
        check_response(exchange.status, exchange.headers, exchange.body, destination, self._key)

    def _make_error(self, exchange: Exchange) -> DeliveryError:
        error = exchange.error
        if isinstance(error, httpx.LocalProtocolError):
            return Refused("this event can't be sent: the value of a header is not valid")
        connected = not isinstance(error, UNCONNECTED)
        what = "no answer from" if connected else "no connection to"
        return Unreachable(f"{what} {self._host}: {describe_failure(error)}", connected=connected)


def _open(context: ssl.SSLContext) -> httpx.Client:
    """An HTTP client that never follows redirects, as the API key would be sent there too.

    Proxies are taken from the environment variables. Raises SettingError for an unusable proxy.
    """
    try:
        return httpx.Client(verify=context, limits=httpx.Limits(keepalive_expiry=None))
    except (ImportError, ValueError, httpx.InvalidURL):  # its text holds the proxy's password
        names = "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or NO_PROXY"
        raise SettingError(f"{names}: this kind of proxy or address can't be used") from None


def _create_context(scheme: str, ca_bundle: str | None) -> ssl.SSLContext:
    """The TLS context: trusts `ca_bundle` if given, else the system's roots, else httpx' own.

    Raises SettingError for a bundle without certificates.
    """
    if scheme != "https":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # unused: no TLS, so loads no certificates
    roots = ssl.get_default_verify_paths()
    if not (ca_bundle or roots.cafile or roots.capath):
        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ssl.SSLError):
        raise SettingError(
            f"TFEVENTS_CA_BUNDLE, or SSL_CERT_FILE: {ca_bundle} holds no certificates"
        ) from None


def path_of(destination: Destination, kind: str = "events") -> str:
    """The URL path of a workspace's events or data (`kind`); every segment is percent-encoded."""
    parts = (destination.org, destination.project, destination.workspace)
    org, project, workspace = (_segment(part or "") for part in parts)
    return f"/orgs/{org}/projects/{project}/workspaces/{workspace}/{kind}"


def _segment(text: str) -> str:
    """One percent-encoded segment; `.` and `..` too, which would change the path."""
    return quote(text, safe="") if text.strip(".") else text.replace(".", "%2E")


UNCONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.PoolTimeout)
REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "its certificate is not trusted (see TFEVENTS_CA_BUNDLE)"),
    (ssl.SSLError, "it does not speak TLS as we do"),
    (socket.gaierror, "its name is not known"),
    (UnicodeError, "its name is not known"),
    (ConnectionRefusedError, "connection refused"),
    (httpx.RemoteProtocolError, "it hung up, or does not speak HTTP"),
    (ConnectionError, "connection reset"),
    (httpx.ProxyError, "the proxy does not let us through"),
    (httpx.ConnectTimeout, f"not within {CONNECT_SECONDS:g} s"),
    (httpx.TimeoutException, "out of time"),
)
"""The words for each kind of failure, the most specific first."""


def describe_failure(error: BaseException | None) -> str:
    """The words for an error, of the most specific of its causes in REASONS.

    Never the error's own text, which may quote secrets. None: the response did not come in time.
    """
    causes = list(_causes(error))
    found = (words for kind, words in REASONS if any(isinstance(c, kind) for c in causes))
    return next(found, type(error).__name__ if error else "out of time")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
