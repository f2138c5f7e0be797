"""Turns an event's body into the texts, bars and links that a page shows.

A body is untrusted input: control characters and escape sequences are removed from its texts, and
only http and https URLs become links.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from tfevents.receiver.picture import Bar, draw_counts
from tfevents.receiver.store import Received
from tfevents.text import clean, clean_message

LONGEST_TEXT, LONGEST_RAW = 4096, 1 << 21
COMMIT_PATHS = {"github": "/commit/", "gitlab": "/-/commit/", "bitbucket": "/commits/"}
"""The path of a commit's page on each code host, by a word in the host's name."""
NOT_SHOWN = frozenset({"run_id", "event_id", "tfevents_version", "started_at", "finished_at"})


class Link(Struct, frozen=True):
    """A text and its URL; None for a text without a link."""

    text: str
    url: str | None = None


class Moment(Struct, frozen=True):
    """A time as texts: `iso` in UTC, the others for people, in this machine's time zone."""

    iso: str
    day: str
    clock: str
    short: str


class EventView(Struct, frozen=True):
    """One event as the pages show it, a run as its latest event; unknown values are None or empty.

    `drift`: all drift counts. `drifted`: the drift counts without the unchanged resources.
    """

    id: str
    at: Moment
    status: str
    words: str
    operation: str
    place: str
    workspace: str
    workspace_id: int
    resources: Bar | None
    outputs: Bar | None
    drift: Bar | None
    drifted: Bar | None
    cost: str
    cost_change: str
    repository: Link | None
    commit: Link | None
    branch: str
    message: str
    pipeline: Link | None
    actor: str
    provisioner: str
    duration: str
    facts: Mapping[str, str]
    raw: str


def describe_event(one: Received) -> EventView:
    """The view of an event."""
    body = json.loads(one.body)
    about, data = body.get("metadata") or {}, body.get("data") or {}
    repository = _clean(about.get("git_repo"))
    return EventView(
        id=one.id,
        at=describe_time(one.received_at),
        status=one.event_type,
        words=one.event_type.replace("_", " ").replace("-", " "),
        operation=_clean(about.get("activity_type")),
        place=f"{_clean(one.org)} / {_clean(one.project)}",
        workspace=_clean(one.workspace) or "?",
        workspace_id=one.workspace_id,
        resources=draw_counts(about.get("resource_counts")),
        outputs=draw_counts(about.get("output_counts")),
        drift=draw_counts(about.get("drift_counts")),
        drifted=draw_counts({**(about.get("drift_counts") or {}), "unchanged": 0}),
        cost=_format_cost(about, "cost_total_monthly"),
        cost_change=_format_cost(about, "cost_diff_total_monthly", signed=True),
        repository=make_link(_name_of_repository(repository), repository),
        commit=_link_commit(_clean(about.get("git_commit_sha")), repository),
        branch=_clean(about.get("git_branch")),
        message=_first_line(about.get("git_commit_message")),
        pipeline=_link_pipeline(about),
        actor=_clean(_trigger_of(about).get("actor")),
        provisioner=" ".join(
            _clean(about.get(name)) for name in ("provisioner", "provisioner_version")
        ).strip(),
        duration=_format_duration(data.get("started_at"), data.get("finished_at")),
        facts=_list_facts(data),
        raw=format_raw(one.body),
    )


def describe_time(milliseconds: int) -> Moment:
    """The texts for a time in milliseconds since 1970."""
    at = datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
    here = at.astimezone()
    day = f"{here:%A}, {here.day} {here:%B %Y}"
    short = f"{here.day} {here:%b}, {here:%H:%M}"
    return Moment(at.isoformat(timespec="milliseconds"), day, f"{here:%H:%M:%S}", short)


def make_link(text: str, url: str) -> Link | None:
    """A link to an http or https URL, or the text alone for any other URL; None without text."""
    if not text:
        return None
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    return Link(text, url if good else None)


def format_raw(body: str) -> str:
    """An event's JSON, indented for reading and without control characters."""
    try:
        text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except RecursionError:
        text = body
    return clean_message(text, LONGEST_RAW) or ""


def _clean(value: object) -> str:
    return clean(value, LONGEST_TEXT) or "" if isinstance(value, str) else ""


def _first_line(value: object) -> str:
    text = clean_message(value) if isinstance(value, str) else None
    return text.partition("\n")[0][:200] if text else ""


def _name_of_repository(address: str) -> str:
    """The last two segments of a repository's URL, such as `owner/name`; the whole address if it
    has no more than two."""
    names = re.split(r"[/:]", address.removesuffix("/").removesuffix(".git"))
    return "/".join(names[-2:]) if len(names) > 2 else address


def _link_commit(sha: str, repository: str) -> Link | None:
    link = make_link(sha[:10], repository)
    if link is None or link.url is None:
        return link
    parts = urlsplit(link.url)
    host = parts.hostname or ""
    path = next((path for word, path in COMMIT_PATHS.items() if word in host), None)
    known = path and re.fullmatch(r"[0-9a-fA-F]{7,64}", sha) and not (parts.query or parts.fragment)
    return Link(link.text, f"{link.url.removesuffix('.git')}{path}{sha}" if known else None)


def _link_pipeline(about: Mapping[str, Any]) -> Link | None:
    name = _clean(about.get("pipeline_name")) or _clean(about.get("pipeline"))
    number = _clean(about.get("pipeline_execution_number"))
    text = f"{name} #{number}" if name and number else name
    return make_link(text, _clean(_trigger_of(about).get("url")))


def _trigger_of(about: Mapping[str, Any]) -> Mapping[str, Any]:
    trigger = about.get("trigger")
    return trigger if isinstance(trigger, dict) else {}


def _format_cost(about: Mapping[str, Any], name: str, *, signed: bool = False) -> str:
    """A monthly amount with its currency; empty if missing. Text that is no number stays as it is.

    `name`: the metadata field. `signed`: with a plus sign for increases.
    """
    text = _clean(about.get(name))[:40]
    try:
        amount = Decimal(text)
        shown = f"{amount:{'+' if signed else ''},.2f}" if abs(amount) < 10**15 else text
    except ArithmeticError:  # of a text that is no number, or of a number beyond Decimal's limits
        shown = text
    currency = _clean(about.get("cost_currency"))[:8]
    return f"{shown} {currency}".strip() if shown else ""


def _format_duration(start: object, end: object) -> str:
    """The duration between two RFC 3339 times, as text; empty if a time is missing or invalid, or
    the duration is negative or 10**6 seconds and more."""
    try:
        times = [datetime.fromisoformat(str(at).replace("Z", "+00:00")) for at in (start, end)]
        seconds = (times[1] - times[0]).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return ""
    if not 0 <= seconds < 10**6:
        return ""
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def _list_facts(data: Mapping[str, str]) -> dict[str, str]:
    """The members of an event's `data` in order of their names, without those in NOT_SHOWN."""
    shown = ((_clean(name), clean_message(text)) for name, text in sorted(data.items()))
    return {name: text for name, text in shown if name and text and name not in NOT_SHOWN}
