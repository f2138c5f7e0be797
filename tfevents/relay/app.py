"""The relay over HTTP: the contract's paths, the health check and the metrics."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from tempfile import TemporaryFile
from typing import BinaryIO

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tfevents.deadline import Deadline
from tfevents.delivery.client import ApiClient
from tfevents.delivery.responses import StoredArtifact
from tfevents.errors import DeliveryError, Refused, Unauthorized
from tfevents.journal.models import Destination
from tfevents.receiver.api import answer_or_error, read_body, read_request
from tfevents.receiver.contract import (
    LARGEST_ARTIFACT,
    ContractError,
    parse_artifact,
    parse_event,
    parse_place,
    too_large,
)
from tfevents.relay.intake import Intake
from tfevents.relay.keys import Keys
from tfevents.relay.metrics import MEDIA_TYPE, Metrics
from tfevents.relay.outbox import HEALTH_QUERY, Backlog, measure_backlog
from tfevents.relay.senders import Senders
from tfevents.settings.model import ApiKey

ARTIFACT_SECONDS = 60.0
"""Seconds to send one artifact to the server upstream; the runner waits for the response."""


class RelayApi:
    """The ASGI application for the contract's paths; any other path is answered with 404."""

    def __init__(self, keys: Keys, intake: Intake, client: ApiClient) -> None:
        self._keys, self._intake, self._client = keys, intake, client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        response = await answer_or_error(self._answer(Request(scope, receive)))
        if response is not None:
            await response(scope, receive, send)

    async def _answer(self, http: Request) -> Response:
        """The response to one request. Raises ContractError and StoreUnavailable."""
        request = read_request(http)
        place = parse_place(request)
        if place.kind == "activities":
            raise ContractError(404, "not_found", "a relay knows no activities: ask the service")
        caller = self._keys.admit(request.headers["x-api-key"], place.account)
        if place.kind == "data":
            with TemporaryFile() as file:
                return await self._forward_artifact(http, file, caller.key)
        body = await read_body(http)
        event = parse_event(request, body)
        await self._intake.take_event(place, caller, event, body.decode())
        return Response(status_code=200)

    async def _forward_artifact(self, http: Request, file: BinaryIO, key: ApiKey) -> Response:
        """Forwards an artifact at once, through the temporary `file`, and answers with the server's
        response: the runner needs the id in it.

        Raises ContractError.
        """
        request = read_request(http)
        place, artifact = parse_place(request), parse_artifact(request)
        async for piece in http.stream():
            file.write(piece)
            if file.tell() > LARGEST_ARTIFACT:
                raise too_large()
        file.seek(0)
        client, deadline = self._client.with_key(key), Deadline(ARTIFACT_SECONDS)
        destination = Destination(place.account, place.org, place.project, place.workspace)
        sent = (file, artifact.fields, destination, deadline)
        try:
            stored = await run_in_threadpool(client.store_file, *sent)
        except DeliveryError as error:
            raise _make_contract_error(error) from None
        return JSONResponse(_describe_stored(stored))


def _make_contract_error(error: DeliveryError) -> ContractError:
    """The error that the runner is answered with when an artifact was not delivered."""
    if isinstance(error, Unauthorized):
        return ContractError(401, "unauthorized", str(error))
    if isinstance(error, Refused):
        return ContractError(400, "bad_request", str(error))
    return ContractError(503, "service_unavailable", str(error))


def _describe_stored(stored: StoredArtifact) -> dict[str, str]:
    """The JSON body of the service's own response to an artifact."""
    message = stored.words.removeprefix(" (").removesuffix(")")
    texts = {"status": stored.policy, "message": message}
    policy = {f"policy_evaluation_{name}": words for name, words in texts.items() if words}
    return {"id": stored.id, **policy}


class Probes:
    """The endpoints for monitoring a relay."""

    def __init__(self, engine: Engine, senders: Senders, metrics: Metrics) -> None:
        self._engine, self._senders, self._metrics = engine, senders, metrics

    async def show_health(self, _request: Request) -> Response:
        """200 if the database can be read and all sender threads are running, else 503; an outage
        of the service upstream does not count."""
        if not await run_in_threadpool(self._can_read):
            return PlainTextResponse("the database can't be asked\n", 503)
        if not self._senders.working:
            return PlainTextResponse("nothing is sent any more\n", 503)
        return PlainTextResponse("ok\n")

    async def show_metrics(self, _request: Request) -> Response:
        """The metrics in the Prometheus text format; 503 if the database can't be read."""
        found = await run_in_threadpool(self._measure)
        if found is None:
            return PlainTextResponse("the database can't be asked\n", 503)
        return Response(self._metrics.render(found), media_type=MEDIA_TYPE)

    def _can_read(self) -> bool:
        try:
            with self._engine.connect() as connection:
                connection.execute(HEALTH_QUERY)
        except SQLAlchemyError:
            return False
        return True

    def _measure(self) -> Backlog | None:
        """The backlog; None if the database can't be read."""
        try:
            with self._engine.connect() as connection:
                return measure_backlog(connection)
        except SQLAlchemyError:
            return None


def make_app(api: RelayApi, senders: Senders, probes: Probes) -> Starlette:
    """The relay's application. Its lifespan starts the sender threads and, at shutdown, waits until
    requests in progress are finished."""

    @asynccontextmanager
    async def run_senders(_app: Starlette) -> AsyncIterator[None]:
        senders.start()
        with suppress(CancelledError):  # uvicorn skips the shutdown after a second signal
            yield
        await run_in_threadpool(senders.stop)

    routes = (
        Route("/healthz", probes.show_health),
        Route("/metrics", probes.show_metrics),
    )
    app = Starlette(routes=routes, lifespan=run_senders)
    app.router.default = api
    return app
