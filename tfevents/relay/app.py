"""The relay over HTTP: the contract's paths, its health and its numbers; it sends while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tfevents.receiver.api import answer_or_error, read_body, read_request
from tfevents.receiver.contract import ContractError, check_place, parse_event
from tfevents.relay.intake import Intake
from tfevents.relay.keys import Keys
from tfevents.relay.metrics import MEDIA_TYPE, Metrics
from tfevents.relay.outbox import READS, Backlog, measure_backlog
from tfevents.relay.senders import Senders


class RelayApi:
    """The ASGI application of the contract's paths."""

    def __init__(self, keys: Keys, intake: Intake) -> None:
        self._keys, self._intake = keys, intake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        response = await answer_or_error(self._answer(Request(scope, receive)))
        if response is not None:
            await response(scope, receive, send)

    async def _answer(self, http: Request) -> Response:
        """Raises ContractError and StoreUnavailable."""
        request = read_request(http)
        place = check_place(request)
        if place.kind != "events":
            raise ContractError(404, "not_found", "a relay takes events only")
        caller = self._keys.admit(request.headers["x-api-key"], place.account)
        body = await read_body(http)
        event = parse_event(request, body)
        await self._intake.take_event(place, caller, event, body.decode())
        return Response(status_code=200)


class Probes:
    """What those ask who look after a relay."""

    def __init__(self, engine: Engine, senders: Senders, metrics: Metrics) -> None:
        self._engine, self._senders, self._metrics = engine, senders, metrics

    async def show_health(self, _request: Request) -> Response:
        """200 where events can be kept and sent; an outage of the service upstream is none of
        ours."""
        if not await run_in_threadpool(self._can_read):
            return PlainTextResponse("the database can't be asked\n", 503)
        if not self._senders.working:
            return PlainTextResponse("nothing is sent any more\n", 503)
        return PlainTextResponse("ok\n")

    async def show_metrics(self, _request: Request) -> Response:
        """For Prometheus."""
        found = await run_in_threadpool(self._measure)
        if found is None:
            return PlainTextResponse("the database can't be asked\n", 503)
        return Response(self._metrics.render(found), media_type=MEDIA_TYPE)

    def _can_read(self) -> bool:
        try:
            with self._engine.connect() as connection:
                connection.execute(READS)
        except SQLAlchemyError:
            return False
        return True

    def _measure(self) -> Backlog | None:
        """None where the database is away."""
        try:
            with self._engine.connect() as connection:
                return measure_backlog(connection)
        except SQLAlchemyError:
            return None


def make_app(api: RelayApi, senders: Senders, probes: Probes) -> Starlette:
    """It sends as long as it runs; when it is to stop, what is under way comes to its end."""

    @asynccontextmanager
    async def send_meanwhile(_app: Starlette) -> AsyncIterator[None]:
        senders.start()
        yield
        await run_in_threadpool(senders.stop)

    routes = (
        Route("/healthz", probes.show_health),
        Route("/metrics", probes.show_metrics),
    )
    app = Starlette(routes=routes, lifespan=send_meanwhile)
    app.router.default = api
    return app
