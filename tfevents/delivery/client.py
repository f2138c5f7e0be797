"""The one door to the network: a POST to the service, within a deadline, in bounded memory."""

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
from tfevents.settings.model import Key, Settings

UNUSED = {"httpx._main", "anyio"} - sys.modules.keys()
"""Its command line and its asynchronous half: it foresees that they are not there."""
sys.modules |= dict.fromkeys(UNUSED)  # type: ignore[arg-type]  # None: that is how it is said
import httpcore  # noqa: E402, F401  # httpx imports it with its first client: no event waits for it
import httpx  # noqa: E402  # see above

for name in UNUSED:  # a server beside us needs anyio
    del sys.modules[name]

CONNECT_SECONDS, READ_SECONDS = 2.0, 5.0
BAD_REQUEST = 400
MOST_SECONDS = 10.0
"""For one event."""
LARGEST_RESPONSE = 65536


class Exchange(Struct):
    """One request, and what is known of its response so far. `over`: there is no more to come."""

    status: int | None = None
    headers: Mapping[str, str] = {}
    body: bytes = b""
    error: Exception | None = None
    over: threading.Event = field(default_factory=threading.Event)


class ApiClient:
    """Speaks to one server with one key; its connections are kept from one event to the next."""

    def __init__(self, settings: Settings) -> None:
        """Raises SettingError where there is no key, and for a bundle of certificates or a proxy
        that can't be used."""
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

    def with_key(self, key: Key) -> ApiClient:
        """The same server and the same connections, with another key."""
        other = copy(self)
        other._key = key
        return other

    def send_event(
        self, body: Mapping[str, Any], destination: Destination, deadline: Deadline
    ) -> None:
        """Delivers one event. Raises a DeliveryError."""
        try:
            text = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        except ValueError:
            raise Refused("this event can't be sent: it is no JSON") from None
        self.send_text(text, destination, deadline)

    def send_text(self, text: bytes, destination: Destination, deadline: Deadline) -> None:
        """The same for an event that is JSON already."""
        request = self._build_request(destination, "events", text)
        request.headers["Content-Type"] = "application/json"
        exchange = self._post(request, deadline, MOST_SECONDS)
        self._check(exchange, destination)

    def check_access(self, destination: Destination, deadline: Deadline) -> None:
        """Whether the server takes this key for this workspace. Raises a DeliveryError.

        What is sent lacks an event's one required member: a server that looks at it at all answers
        400 (contract: bad_request), and none can record it.
        """
        request = self._build_request(destination, "events", b"{}")
        request.headers["Content-Type"] = "application/json"
        exchange = self._post(request, deadline, MOST_SECONDS)
        if exchange.status != BAD_REQUEST:
            self._check(exchange, destination)

    def store_artifact(
        self, path: str, query: Mapping[str, str], destination: Destination, deadline: Deadline
    ) -> StoredArtifact:
        """Stores a file's bytes, streamed. Raises a DeliveryError or OSError."""
        with open(path, "rb") as file:
            return self.store_file(file, query, destination, deadline)

    def store_file(
        self, file: BinaryIO, query: Mapping[str, str], destination: Destination, deadline: Deadline
    ) -> StoredArtifact:
        """The same for a file that is open. Raises a DeliveryError."""
        request = self._build_request(destination, "data", file, query)
        request.headers["Content-Type"] = "application/octet-stream"
        exchange = self._post(request, deadline)
        if not exchange.over.is_set():
            raise self._explain(exchange)
        self._check(exchange, destination)
        return parse_stored(exchange.body, self._key)

    def _build_request(
        self,
        destination: Destination,
        kind: str,
        content: bytes | BinaryIO,
        query: Mapping[str, str] | None = None,
    ) -> httpx.Request:
        """Raises Refused for what does not fit into one."""
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
            raise Refused("this event can't be sent: its account or workspace is none") from None

    def _post(self, request: httpx.Request, deadline: Deadline, most: float = inf) -> Exchange:
        """What was answered in time. A thread does it: httpx' time limits are for one read each,
        and a name server or a response that drips knows none."""
        seconds = min(deadline.left, most)
        ours = 0.9 * seconds  # who asks can say better what it has waited for
        times = httpx.Timeout(min(READ_SECONDS, ours), connect=min(CONNECT_SECONDS, ours))
        request.extensions["timeout"] = times.as_dict()
        exchange = Exchange()
        threading.Thread(target=self._run, args=(request, exchange), daemon=True).start()
        deadline.wait(exchange.over, seconds)
        return exchange

    def _run(self, request: httpx.Request, exchange: Exchange) -> None:
        """Fills in the exchange as its response comes."""
        try:
            response = self._http.send(request, stream=True)
            exchange.headers, exchange.status = response.headers, response.status_code
            with closing(response):
                for piece in response.iter_raw():
                    exchange.body += piece
                    if len(exchange.body) > LARGEST_RESPONSE:
                        break
        except (httpx.HTTPError, OSError, ValueError, RuntimeError) as error:  # closed meanwhile
            exchange.error = error
        finally:
            exchange.over.set()

    def _check(self, exchange: Exchange, destination: Destination) -> None:
        """Raises what there is to say against the response, or why there is none."""
        if exchange.status is None:
            raise self._explain(exchange)
        check_response(exchange.status, exchange.headers, exchange.body, destination, self._key)

    def _explain(self, exchange: Exchange) -> DeliveryError:
        error = exchange.error
        if isinstance(error, httpx.LocalProtocolError):
            return Refused("this event can't be sent: a header would be more than one")
        connected = not isinstance(error, UNCONNECTED)
        what = "no answer from" if connected else "no connection to"
        return Unreachable(f"{what} {self._host}: {explain(error)}", connected=connected)


def _open(context: ssl.SSLContext) -> httpx.Client:
    """Never follows a redirect: the key would go there too. Proxies are the environment's."""
    try:
        return httpx.Client(verify=context, limits=httpx.Limits(keepalive_expiry=None))
    except (ImportError, ValueError, httpx.InvalidURL):  # the text holds the proxy's password
        names = "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or NO_PROXY"
        raise SettingError(f"{names}: this kind of proxy or address can't be used") from None


def _create_context(scheme: str, ca_bundle: str | None) -> ssl.SSLContext:
    """Whose word is taken for who a server is: one bundle's, or the system's roots, or where it
    has none, httpx' own. Raises SettingError for a bundle that is none."""
    if scheme != "https":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # nobody is asked, and nobody trusted
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
    """The path of a workspace's events or data; every segment is percent-encoded."""
    parts = (destination.org, destination.project, destination.workspace)
    org, project, workspace = (_segment(part or "") for part in parts)
    return f"/orgs/{org}/projects/{project}/workspaces/{workspace}/{kind}"


def _segment(text: str) -> str:
    """One segment of a path; also `.` and `..`, which mean something there."""
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
    (httpx.ConnectTimeout, f"none within {CONNECT_SECONDS:g} s"),
    (httpx.TimeoutException, "out of time"),
)
"""What says most comes first."""


def explain(error: BaseException | None) -> str:
    """The kind of failure, of whichever cause says most; never a text, which may quote what it was
    given. None is a response that did not come in time."""
    causes = list(_causes(error))
    said = (words for kind, words in REASONS if any(isinstance(c, kind) for c in causes))
    return next(said, type(error).__name__ if error else "out of time")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
