"""The service's API over HTTP: the response to each request, and the format of its errors."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Awaitable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tfevents.errors import StoreUnavailable
from tfevents.receiver.contract import (
    LARGEST_ARTIFACT,
    LARGEST_EVENT,
    ContractError,
    Place,
    Request,
    parse_activity_query,
    parse_artifact,
    parse_event,
    parse_place,
    too_large,
)
from tfevents.receiver.faults import Faults
from tfevents.receiver.store import Received, Store

GOA_TYPE = "application/vnd.goa.error"
TEMPORARY = frozenset({408, 423, 425, 429, 499, 500, 502, 503, 504})
TIMEOUTS = frozenset({408, 504})


class Api:
    """The ASGI application for the contract's paths; any other path is answered with 404."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store, self._faults = store, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        http = HttpRequest(scope, receive)
        response = await answer_or_error(self._answer(http))
        if response is not None:
            await asyncio.sleep(self._faults.delay)
            await response(scope, receive, send)

    async def _answer(self, http: HttpRequest) -> Response:
        """The response to one request. Raises ContractError and StoreUnavailable."""
        error = self._faults.next_error() if http.method == "POST" else None
        if error is not None:
            raise error
        request = read_request(http)
        place = parse_place(request)
        if place.kind == "activities":
            return await self._list_activities(place, request)
        if place.kind == "data":
            return await self._take_artifact(place, request, http)
        body = await read_body(http)
        event = parse_event(request, body)
        await run_in_threadpool(self._store.add_event, place, event, body.decode())
        return Response(status_code=200)

    async def _take_artifact(self, place: Place, request: Request, http: HttpRequest) -> Response:
        """Stores an artifact's size and digest, and answers with its id. Its bytes may hold secrets
        and are not stored."""
        artifact = parse_artifact(request)
        digest, size = hashlib.sha256(), 0
        async for piece in http.stream():
            digest.update(piece)
            size += len(piece)
            if size > LARGEST_ARTIFACT:
                raise too_large()
        found = (place, artifact.data_type, size, digest.hexdigest())
        return JSONResponse({"id": await run_in_threadpool(self._store.add_artifact, *found)})

    async def _list_activities(self, place: Place, request: Request) -> Response:
        query = parse_activity_query(request)
        page = await run_in_threadpool(self._store.list_activities, place, query)
        headers = {
            "x-page-size": str(query.limit),
            "x-total-items": str(page.total),
            "x-total-pages": str(-(-page.total // query.limit)),
        }
        listed = [_describe_activity(one) for one in page.items]
        # as ASCII: a JSONResponse can't encode the lone surrogates that an event may contain
        return Response(json.dumps(listed), 200, headers, "application/json")


async def answer_or_error(answer: Awaitable[Response]) -> Response | None:
    """The awaited response, or the response for its error; None if the client has disconnected."""
    try:
        return await answer
    except ContractError as error:
        return make_error(error)
    except StoreUnavailable as error:
        return make_error(ContractError(503, "service_unavailable", str(error)))
    except ClientDisconnect:
        return None


def make_error(error: ContractError) -> Response:
    """The response for an error, in the service's format: a goa error as JSON, with its name also
    in the goa-error header."""
    body = {
        "name": error.name,
        "id": secrets.token_urlsafe(6),
        "message": error.message,
        "temporary": error.status in TEMPORARY,
        "timeout": error.status in TIMEOUTS,
        "fault": error.status >= 500,
    }
    headers = {"goa-error": error.name}
    if error.allowed:
        headers["Allow"] = error.allowed
    return Response(json.dumps(body), error.status, headers, GOA_TYPE)


def read_request(http: HttpRequest) -> Request:
    """The request's method, path, query and headers; the body is not read."""
    raw = http.scope.get("raw_path") or http.scope["path"].encode()
    query = http.scope["query_string"].decode("latin-1")
    return Request(http.method, raw.decode("latin-1"), query, dict(http.headers))


async def read_body(http: HttpRequest) -> bytes:
    """The bytes of an event. Raises ContractError (413) for more than LARGEST_EVENT."""
    body = bytearray()
    async for piece in http.stream():
        body += piece
        if len(body) > LARGEST_EVENT:
            raise too_large()
    return bytes(body)


def _describe_activity(one: Received) -> dict[str, Any]:
    """An event as the service's ActivityResource."""
    return {
        "id": one.id,
        "account": one.account,
        "org": one.org,
        "project": one.project,
        "workspace": one.workspace,
        "created": one.received_at,
        "metadata": json.loads(one.body).get("metadata", {}),
    }
