"""Terrateam: a step of a GitHub or GitLab job, with variables for its pull request.

https://docs.terrateam.io
https://github.com/terrateamio/action/blob/main/terrat_runner/main.py
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from tfevents.context.ci._event_file import find_text, parse_event
from tfevents.context.ci._parent_job import read_parent_job
from tfevents.context.ci.build import Build

_TYPES = {"pr": "pull_request"}


def claims(env: Mapping[str, str]) -> bool:
    return bool(env.get("TERRATEAM_ROOT"))


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    """The job's build with Terrateam's trigger: the job itself is always a dispatched workflow."""
    job = read_parent_job(env, read_file, "terrateam")
    kind = env.get("TERRATEAM_RUN_KIND", "")
    number = find_text(parse_event(env.get("TERRATEAM_RUN_KIND_DATA")), "id")
    return replace(
        job,
        trigger_type=_TYPES.get(kind, kind) or job.trigger_type,
        pull_request=(number if kind == "pr" else None) or job.pull_request,
    )
