"""Digger: a step of a CI job. If its backend started the job, DIGGER_RUN_SPEC describes the run.

https://docs.digger.dev/ce/howto/custom-commands
https://github.com/diggerhq/digger/blob/develop/libs/spec/models.go (DIGGER_RUN_SPEC)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from tfevents.context.ci._event_file import find_text, parse_event
from tfevents.context.ci._parent_job import read_parent_job
from tfevents.context.ci.build import Build

_TYPES = {"manual_run": "manual"}


def claims(env: Mapping[str, str]) -> bool:
    return bool(env.get("DIGGER_RUN_SPEC") or env.get("DIGGER_OUT"))


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    job = read_parent_job(env, read_file, "digger")
    spec = parse_event(env.get("DIGGER_RUN_SPEC"))
    event = find_text(spec, "job", "eventName") or ""
    head = find_text(spec, "job", "commit")
    return replace(
        job,
        branch=find_text(spec, "job", "branch") or env.get("PR_BRANCH") or job.branch,
        sha=head or job.sha,
        merge_commit=None if head else job.merge_commit,
        message=job.message if head in (None, "", job.sha) else None,
        trigger_type=_TYPES.get(event, event) or job.trigger_type,
        actor=find_text(spec, "vcs", "actor") or job.actor,
        pull_request=find_text(spec, "job", "pullRequestNumber") or job.pull_request,
        chooses_checkout=job.chooses_checkout and not head,
    )
