"""A Harness IaCM on loopback: enforces the contract, records every request, misbehaves on
demand."""

from __future__ import annotations

import json
import ssl
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import trustme

from support import envelope
from support.contract import Incoming, Place, Refusal, Rules, judge
from support.exchange import Server
from support.step import NORMAL, Ending, Step

__all__ = ["Endpoint", "Request", "Rules"]


@dataclass(frozen=True)
class Request:
    """One request as it was received and answered.

    `place` and `event` are None if the request was refused (`refusal` says why) or if nothing was
    read; `status` is None if no answer was given; `connection` numbers the TCP connections, so that
    equal numbers mean keep-alive.
    """

    at: float  # time.monotonic()
    wall: float  # time.time()
    connection: int
    method: str
    target: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    place: Place | None
    event: dict[str, Any] | None
    refusal: str | None
    status: int | None
    recorded: bool
    step: Step  # how the endpoint treated it


class Endpoint:
    """A threaded HTTP/1.1 server on 127.0.0.1 that behaves as the contract says unless told not to.

    with Endpoint() as endpoint:
        endpoint.script(answer(503, retry_after=1), HANG)   # first and second request
        ...                                                 # the third is treated as usual
        (event,) = endpoint.wait_for(1)

    `tls` is the host name of its certificate; `ca_bundle` is the file by which clients trust it.
    """

    def __init__(self, rules: Rules | None = None, *, tls: str | None = None) -> None:
        self.rules = rules or Rules()
        self.closing = threading.Event()
        self.faults: list[BaseException] = []
        self._script: deque[Step] = deque()
        self._always = NORMAL
        self._requests: list[Request] = []
        self._changed = threading.Condition()
        self._directory = TemporaryDirectory(prefix="tfevents-endpoint-")
        self._context = self._make_context(tls)
        self._server = Server(self, self._context)

    def _make_context(self, host: str | None) -> ssl.SSLContext | None:
        if host is None:
            return None
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_bundle))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(context)
        return context

    @property
    def ca_bundle(self) -> Path:
        """The CA file with which a client trusts this endpoint's certificate."""
        return Path(self._directory.name) / "ca.pem"

    @property
    def port(self) -> int:
        """The ephemeral port that the server listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Scheme, host and port, without the API path."""
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many TCP connections were made, TLS handshakes that failed included."""
        return self._server.connections

    @property
    def requests(self) -> list[Request]:
        """All requests so far, in the order of arrival."""
        with self._changed:
            return list(self._requests)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The bodies of the recorded events, as a real service would show them."""
        return [r.event for r in self.requests if r.recorded and r.event is not None]

    @property
    def artifacts(self) -> list[Request]:
        """The recorded requests to create-data."""
        return [r for r in self.requests if r.recorded and r.place and r.place.kind == "data"]

    def script(self, *steps: Step) -> None:
        """Sets the steps of the next requests, one each."""
        with self._changed:
            self._script.extend(steps)

    def clear(self) -> None:
        """Removes the remaining steps of the script."""
        with self._changed:
            self._script.clear()

    def always(self, step: Step) -> None:
        """Sets the step of every request that the script has none for; `NORMAL` ends it."""
        with self._changed:
            self._always = step

    def wait_for(self, count: int, timeout: float = 10.0) -> list[dict[str, Any]]:
        """The recorded events, as soon as there are `count`; AssertionError after `timeout`
        seconds."""
        self._wait(lambda: len(self.events) >= count, f"{count} events", timeout)
        return self.events

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> list[Request]:
        """All requests, recorded or not, as soon as there are `count`; AssertionError after
        `timeout` seconds."""
        self._wait(lambda: len(self._requests) >= count, f"{count} requests", timeout)
        return self.requests

    def _wait(self, met: Callable[[], bool], wanted: str, timeout: float) -> None:
        with self._changed:
            if not self._changed.wait_for(met, timeout):
                heard = [(r.method, r.target, r.status, r.refusal) for r in self._requests]
                raise AssertionError(f"waited {timeout} s for {wanted}; heard {heard}")

    def next_step(self) -> Step:
        """The step for a request, taken from the script when the first byte arrives."""
        with self._changed:
            return self._script.popleft() if self._script else self._always

    def take(self, step: Step, connection: int, incoming: Incoming) -> Step:
        """Judges and records one request; returns the step with its answer filled in."""
        place, event, refusal = self._judged(incoming, step)
        filled = _filled(step, place, refusal, incoming)
        silent = step.ending not in (Ending.ANSWER, Ending.CUT, Ending.DRIP)
        good = refusal is None and place is not None and 200 <= (filled.status or 0) < 300
        request = Request(
            at=time.monotonic(),
            wall=time.time(),
            connection=connection,
            method=incoming.method,
            target=incoming.target,
            headers=dict(incoming.headers),
            body=incoming.body,
            place=place,
            event=event,
            refusal=refusal.message if refusal else None,
            status=None if silent else filled.status,
            recorded=good if step.recorded is None else step.recorded and refusal is None,
            step=step,
        )
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()
        return filled

    def _judged(
        self, incoming: Incoming, step: Step
    ) -> tuple[Place | None, dict[str, Any] | None, Refusal | None]:
        if step.ending in (Ending.DROP_UNREAD, Ending.DROP_UNREAD_BODY):
            return None, None, None
        try:
            place, event = judge(self.rules, incoming)
        except Refusal as refusal:
            return None, None, refusal
        return place, event, None

    def __enter__(self) -> Endpoint:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.hang_up()
        self._thread.join()
        self._server.server_close()
        self._directory.cleanup()
        if self.faults and error is None:
            raise self.faults[0]


def _filled(step: Step, place: Place | None, refusal: Refusal | None, incoming: Incoming) -> Step:
    if step.status is not None:
        body = step.body(incoming) if callable(step.body) else step.body
        return step.but(body=body)
    if refusal is not None:
        said = envelope.goa(refusal.name, refusal.message)
        return step.but(status=refusal.status, headers=said.headers, body=said.body)
    if place is not None and place.kind == "data":
        body = json.dumps({"id": str(uuid.uuid4())}).encode()
        return step.but(status=200, headers={"Content-Type": "application/json"}, body=body)
    return step.but(status=200)
