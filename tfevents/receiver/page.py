"""The pages as HTML. The only module that knows Jinja; it escapes whatever a template is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct

from tfevents.events.schema import schema
from tfevents.receiver.run_view import RunView, describe_event
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
"""How an event's type looks."""
NEEDS = {
    "failed": ("failed", "failed"),
    "drifted": ("drifted", "drifted"),
    "apply_needed": ("needs an apply", "need an apply"),
}
"""What is said of a workspace, and of several, that are of an urgent status."""


class Health(Struct, frozen=True):
    """Whether all is well, in a line."""

    tone: str
    words: str


def describe_health(found: Mapping[str, int]) -> Health | None:
    """The most urgent that there is to say of all workspaces, given how many there are of each
    status; None where there is none."""
    total = sum(found.values())
    if not total:
        return None
    every = f"{total:,} workspace{'' if total == 1 else 's'}"
    for status in URGENT:
        if count := found.get(status, 0):
            return Health(TONES[status], f"{count:,} of {every} {NEEDS[status][count > 1]}")
    return Health("good", f"All is well in {every}")


class Pages(Struct, frozen=True):
    """Which page of a list this is, of how many, and where the others are."""

    number: int
    count: int
    total: int
    query: str

    @property
    def newer(self) -> str:
        """The address of the page before; empty where there is none."""
        return self._link(self.number - 1) if self.number > 1 else ""

    @property
    def older(self) -> str:
        """The address of the page after; empty where there is none."""
        return self._link(self.number + 1) if self.number < self.count else ""

    def _link(self, number: int) -> str:
        return f"?{self.query}{'&' if self.query else ''}page={number}"


def make_pages(page: Page, number: int, limit: int, wanted: Filter) -> Pages:
    """The way through a list."""
    count = max(1, -(-page.total // limit))
    return Pages(number, count, page.total, make_query(wanted))


def make_query(wanted: Filter) -> str:
    """A filter as the query of an address."""
    named = {"q": wanted.text, "w": wanted.workspace_id, "status": wanted.status}
    return urlencode({name: value for name, value in named.items() if value})


class WorkspaceView(Struct, frozen=True):
    """A workspace by its latest event, and the types of its latest events."""

    latest: RunView
    recent: Sequence[str]


def view_workspaces(page: Page, recent: dict[int, list[str]]) -> list[WorkspaceView]:
    """One for each."""
    return [WorkspaceView(describe_event(one), recent[one.workspace_id]) for one in page.items]


def group_by_day(items: Sequence[Received]) -> list[tuple[str, list[RunView]]]:
    """Runs under their days, both in the order in which they come."""
    views = [describe_event(one) for one in items]
    return [(day, list(runs)) for day, runs in groupby(views, _day_of)]


def _day_of(run: RunView) -> str:
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
    others = [name for name in schema()["properties"]["event_type"]["enum"] if name not in URGENT]
    templates.globals["statuses"] = [*URGENT, *others]
    return templates


_ENVIRONMENT = _make_environment()


def render(name: str, **values: Any) -> str:
    """A template as HTML."""
    return _ENVIRONMENT.get_template(name).render(values)
