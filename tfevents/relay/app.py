"""The relay over HTTP: the contract's paths, as one ASGI application that sends while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tfevents.receiver.api import answer_or_error, read_body, read_request
from tfevents.receiver.contract import ContractError, check_place, parse_event
from tfevents.relay.intake import Intake
from tfevents.relay.senders import Senders


class RelayApi:
    """The ASGI application of the contract's paths."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

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
        body = await read_body(http)
        event = parse_event(request, body)
        await self._intake.take_event(place, request.headers["x-api-key"], event, body.decode())
        return Response(status_code=200)


def make_app(intake: Intake, senders: Senders) -> Starlette:
    """It sends as long as it runs; when it is to stop, what is under way comes to its end."""

    @asynccontextmanager
    async def send_meanwhile(_app: Starlette) -> AsyncIterator[None]:
        senders.start()
        yield
        await run_in_threadpool(senders.stop)

    app = Starlette(lifespan=send_meanwhile)
    app.router.default = RelayApi(intake)
    return app
