"""Renders the web pages as HTML: the only module that uses Jinja, with autoescaping on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct

from tfevents.events.schema import load_schema
from tfevents.receiver.event_view import EventView, describe_event
from tfevents.receiver.store import URGENT, Filter, Page, Received

TONES = {
    "active": "good",
    "plan": "good",
    "apply_needed": "warn",
    "drifted": "drift",
    "provisioning": "busy",
    "destroying": "busy",
    "failed": "bad",
    "inactive": "idle",
    "stage-complete": "idle",
}
"""The CSS class that colours each event type."""
STATUS_PHRASES = {
    "failed": ("failed", "failed"),
    "drifted": ("drifted", "drifted"),
    "apply_needed": ("needs an apply", "need an apply"),
}
"""The wording for one workspace, and for several, with an urgent status."""


class Health(Struct, frozen=True):
    """The health of all workspaces: one sentence, and the CSS class that colours it."""

    tone: str
    words: str


def describe_health(found: Mapping[str, int]) -> Health | None:
    """The most urgent status of any workspace, and how many workspaces have it; None without
    workspaces.

    `found`: the number of workspaces by status.
    """
    total = sum(found.values())
    if not total:
        return None
    all_workspaces = f"{total:,} workspace{'' if total == 1 else 's'}"
    for status in URGENT:
        if count := found.get(status, 0):
            phrase = STATUS_PHRASES[status][count > 1]
            return Health(TONES[status], f"{count:,} of {all_workspaces} {phrase}")
    return Health("good", f"All is well in {all_workspaces}")


class Pagination(Struct, frozen=True):
    """The position in a paged list: page `number` of `count` pages with `total` items together.

    `query`: the list's filter as a query string, for the links to the other pages.
    """

    number: int
    count: int
    total: int
    query: str

    @property
    def newer(self) -> str:
        """The URL of the previous page; empty on the first."""
        return self._link(self.number - 1) if self.number > 1 else ""

    @property
    def older(self) -> str:
        """The URL of the next page; empty on the last."""
        return self._link(self.number + 1) if self.number < self.count else ""

    def _link(self, number: int) -> str:
        return f"?{self.query}{'&' if self.query else ''}page={number}"


def make_pagination(page: Page, number: int, limit: int, wanted: Filter) -> Pagination:
    """The position of page `number` in a list with `limit` items a page."""
    count = max(1, -(-page.total // limit))
    return Pagination(number, count, page.total, make_query(wanted))


def make_query(wanted: Filter) -> str:
    """A filter as a URL's query string; empty for no filter."""
    named = {"q": wanted.text, "w": wanted.workspace_id, "status": wanted.status}
    return urlencode({name: value for name, value in named.items() if value})


class WorkspaceView(Struct, frozen=True):
    """A workspace: its latest event, and the types of its most recent events, oldest first."""

    latest: EventView
    recent: Sequence[str]


def view_workspaces(page: Page, recent: dict[int, list[str]]) -> list[WorkspaceView]:
    """A view of each workspace on the page. `recent`: as from `Store.list_recent`."""
    return [WorkspaceView(describe_event(one), recent[one.workspace_id]) for one in page.items]


def group_by_day(items: Sequence[Received]) -> list[tuple[str, list[EventView]]]:
    """Runs, each as its latest event, grouped by day: pairs of a day and its runs, in the order of
    `items`."""
    views = [describe_event(one) for one in items]
    return [(day, list(runs)) for day, runs in groupby(views, _day_of)]


def _day_of(run: EventView) -> str:
    return run.at.day


def _make_environment() -> Environment:
    templates = Environment(
        loader=PackageLoader("tfevents.receiver"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["tones"] = TONES
    event_types = load_schema()["properties"]["event_type"]["enum"]
    others = [name for name in event_types if name not in URGENT]
    templates.globals["statuses"] = [*URGENT, *others]
    return templates


_ENVIRONMENT = _make_environment()


def render(name: str, **values: Any) -> str:
    """Renders the template `name` as HTML."""
    return _ENVIRONMENT.get_template(name).render(values)
