"""As `wire.py`, through the proxy that the environment names: httpx knows all their kinds."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

import httpx

from tfevents.delivery.exchange import Letter
from tfevents.delivery.trust import whole
from tfevents.delivery.wire import (
    CONNECT_SECONDS,
    LARGEST_ANSWER,
    READ_SECONDS,
    WHY,
    Answer,
    explain,
)
from tfevents.errors import SettingError
from tfevents.settings.url import Address


class Proxied:
    """A client that keeps its connections."""

    def __init__(self, address: Address, ca_bundle: str | None) -> None:
        """Raises SettingError for a bundle that is none, or a proxy that can't be used."""
        self._origin, context = address.origin, whole(ca_bundle)
        try:
            self._client = httpx.Client(verify=context, follow_redirects=False)
        except (ImportError, ValueError, httpx.InvalidURL):  # the text holds the proxy's password
            names = "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or NO_PROXY"
            raise SettingError(f"{names}: this kind of proxy or address can't be used") from None

    def open(self) -> None:
        """It connects when it posts."""

    def close(self) -> None:
        """Hangs up."""
        self._client.close()

    def post(self, letter: Letter, answer: Answer, seconds: float) -> None:
        """Fills in `answer` as it comes."""
        deadline = monotonic() + seconds
        timeout = httpx.Timeout(min(READ_SECONDS, seconds), connect=min(CONNECT_SECONDS, seconds))
        try:
            request = self._client.build_request(
                "POST",
                self._origin + letter.target,
                content=letter.body,
                headers=dict(letter.headers),
                timeout=timeout,
            )
            response = self._client.send(request, stream=True)
            try:
                answer.headers, answer.status = response.headers, response.status_code
                for chunk in _body(response, letter.asks):
                    answer.body += chunk
                    if len(answer.body) > LARGEST_ANSWER or monotonic() > deadline:
                        break
            finally:
                response.close()
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            missed = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
            answer.connected, answer.why = not isinstance(error, missed), _why(error)


def _body(response: httpx.Response, asks: bool) -> Iterator[bytes]:
    """As in `wire.py`."""
    if asks or not response.is_success or response.headers.get("content-length") == "0":
        yield from response.iter_bytes()


PROXIED = {
    **WHY,
    "ProxyError": "the proxy does not let us through",
    "ConnectTimeout": f"none within {CONNECT_SECONDS:g} s",
    "TimeoutException": "out of time",
    "RemoteProtocolError": WHY["NoHTTP"],
}


def _why(error: BaseException) -> str:
    """The kind of failure, of the cause that says most: the order of PROXIED."""
    said = {explain(cause, PROXIED) for cause in _causes(error)}
    return next((words for words in PROXIED.values() if words in said), type(error).__name__)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
