"""Terrateam: a step of a GitHub or GitLab job that says which pull request it works for.

https://docs.terrateam.io
https://github.com/terrateamio/action/blob/main/terrat_runner/main.py
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci import eventfile, underneath
from tfevents.context.ci.build import Build
from tfevents.record import replace

_TYPES = {"pr": "pull_request"}


def claims(env: Mapping[str, str]) -> bool:
    return bool(env.get("TERRATEAM_ROOT"))


def read(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    """The job itself is always a dispatched workflow."""
    job = underneath.read(env, read_file, "terrateam")
    kind = env.get("TERRATEAM_RUN_KIND", "")
    number = eventfile.look(eventfile.parse(env.get("TERRATEAM_RUN_KIND_DATA")), "id")
    return replace(
        job,
        trigger_type=_TYPES.get(kind, kind) or job.trigger_type,
        pull_request=(number if kind == "pr" else None) or job.pull_request,
    )
