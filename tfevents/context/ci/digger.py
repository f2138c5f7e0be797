"""Digger: a step of a CI job; started by its backend, the job's variables say little.

https://docs.digger.dev/ce/howto/custom-commands
https://github.com/diggerhq/digger/blob/develop/libs/spec/models.go (DIGGER_RUN_SPEC)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci import eventfile, underneath
from tfevents.context.ci.build import Build
from tfevents.record import replace

_TYPES = {"manual_run": "manual"}


def claims(env: Mapping[str, str]) -> bool:
    return bool(env.get("DIGGER_RUN_SPEC") or env.get("DIGGER_OUT"))


def read(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    job = underneath.read(env, read_file, "digger")
    spec = eventfile.parse(env.get("DIGGER_RUN_SPEC"))
    event = eventfile.look(spec, "job", "eventName") or ""
    head = eventfile.look(spec, "job", "commit")
    return replace(
        job,
        branch=eventfile.look(spec, "job", "branch") or env.get("PR_BRANCH") or job.branch,
        sha=head or job.sha,
        merge_commit=None if head else job.merge_commit,
        message=job.message if head in (None, "", job.sha) else None,
        trigger_type=_TYPES.get(event, event) or job.trigger_type,
        actor=eventfile.look(spec, "vcs", "actor") or job.actor,
        pull_request=eventfile.look(spec, "job", "pullRequestNumber") or job.pull_request,
        chooses=job.chooses and not head,
    )
