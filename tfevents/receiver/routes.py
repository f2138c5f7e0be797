"""The web pages over HTTP: their routes, security headers, and the stream that updates them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tfevents.errors import StoreUnavailable
from tfevents.receiver.event_view import describe_event
from tfevents.receiver.page import (
    describe_health,
    group_by_day,
    make_pagination,
    make_query,
    render,
    view_workspaces,
)
from tfevents.receiver.server import list_settings
from tfevents.receiver.store import Filter, Store
from tfevents.text import clean

RUNS, CARDS, WORKSPACES, CARD_EVENTS = 50, 6, 60, 24
"""Counts: runs on one page, workspaces on the index page, workspaces on one page of their own list,
events shown on a workspace's card."""
POLL_SECONDS, KEEP_ALIVE_SECONDS = 0.25, 15.0
"""Seconds between checks for new events, and between keep-alive comments on an idle stream."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


async def show_index(request: Request) -> Response:
    """The index page: the most urgent workspaces, and all runs page by page, latest first."""
    url = str(request.base_url).removesuffix("/")
    return await run_in_threadpool(_make_index, _store_of(request), request.query_params, url)


async def show_workspaces(request: Request) -> Response:
    """The list of all workspaces, page by page."""
    return await run_in_threadpool(_make_workspaces, _store_of(request), request.query_params)


async def show_run(request: Request) -> Response:
    """The page of one run with its events; 404 for an unknown event id."""
    event_id = request.path_params["event_id"]
    return await run_in_threadpool(_make_run, _store_of(request), event_id)


async def stream_latest_seq(request: Request) -> Response:
    """Server-sent events with the sequence number of the latest event, whenever that changes."""
    headers = {**HEADERS, "X-Accel-Buffering": "no"}
    return StreamingResponse(_follow(request), headers=headers, media_type="text/event-stream")


async def show_store_error(request: Request, error: Exception) -> Response:
    """The error page (503) for a database that can't be read."""
    return _respond(render("missing.html", title="Not now", words=str(error)), 503)


def _make_index(store: Store, query: QueryParams, url: str) -> Response:
    wanted, number = _read_filter(query), _read_page(query)
    runs = store.list_runs(wanted, number, RUNS)
    cards = store.list_workspaces(wanted, 1, CARDS)
    recent = store.list_recent([one.workspace_id for one in cards.items], CARD_EVENTS)
    statuses = store.count_statuses()
    html = render(
        "index.html",
        seq=store.find_last_seq(),
        statuses_found=statuses,
        health=describe_health(statuses),
        wanted=wanted,
        query=make_query(wanted),
        workspaces=view_workspaces(cards, recent),
        workspaces_total=cards.total,
        days=group_by_day(runs.items),
        pagination=make_pagination(runs, number, RUNS, wanted),
        settings=list_settings(url),
    )
    return _respond(html)


def _make_workspaces(store: Store, query: QueryParams) -> Response:
    wanted, number = _read_filter(query), _read_page(query)
    found = store.list_workspaces(wanted, number, WORKSPACES)
    recent = store.list_recent([one.workspace_id for one in found.items], CARD_EVENTS)
    html = render(
        "workspaces.html",
        seq=store.find_last_seq(),
        statuses_found=store.count_statuses(),
        wanted=wanted,
        workspaces=view_workspaces(found, recent),
        pagination=make_pagination(found, number, WORKSPACES, wanted),
    )
    return _respond(html)


def _make_run(store: Store, event_id: str) -> Response:
    events = [describe_event(one) for one in store.find_run(event_id)]
    if not events:
        return _respond(render("missing.html", title="No such run", words="Nobody sent it."), 404)
    return _respond(render("run.html", seq=store.find_last_seq(), run=events[-1], events=events))


async def _follow(request: Request) -> AsyncIterator[str]:
    store, server = _store_of(request), request.app.state.server
    last_seq, idle_seconds = -1, 0.0
    while not server.should_exit:
        seq = await run_in_threadpool(store.find_last_seq)
        if seq != last_seq:
            last_seq, idle_seconds = seq, 0.0
            yield f"data: {seq}\n\n"
        elif idle_seconds >= KEEP_ALIVE_SECONDS:
            idle_seconds = 0.0
            yield ":\n\n"
        await asyncio.sleep(POLL_SECONDS)
        idle_seconds += POLL_SECONDS


def _respond(html: str, status: int = 200) -> Response:
    return HTMLResponse(html, status, HEADERS)


def _store_of(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def _read_filter(query: QueryParams) -> Filter:
    """The filter in a page's query string; invalid values are ignored, since people edit URLs."""
    workspace = _read_number(query.get("w"))
    return Filter(clean(query.get("q")) or "", workspace, clean(query.get("status")) or "")


def _read_page(query: QueryParams) -> int:
    return _read_number(query.get("page")) or 1


def _read_number(text: str | None) -> int | None:
    """A positive integer of at most nine digits; None for any other text."""
    valid = text and text.isascii() and text.isdigit() and len(text) < 10
    return int(text) or None if text and valid else None


STATIC = StaticFiles(directory=os.path.join(os.path.dirname(__file__), "static"))
ROUTES = (
    Route("/", show_index),
    Route("/workspaces", show_workspaces),
    Route("/runs/{event_id}", show_run),
    Route("/live", stream_latest_seq),
    Mount("/static", STATIC),
)
EXCEPTION_HANDLERS = {StoreUnavailable: show_store_error}
