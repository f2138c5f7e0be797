"""Semaphore: `SEMAPHORE_*`; an execution is a workflow, which consists of pipelines.

https://docs.semaphore.io/reference/env-vars
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build

_STARTED_BY = {"SCHEDULE": "schedule", "API": "api", "MANUAL_RUN": "manual"}
_REFS = {"branch": "push", "tag": "tag", "pull-request": "pull_request"}


def claims(env: Mapping[str, str]) -> bool:
    return env.get("SEMAPHORE") == "true"


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    is_request = _is_request(env)
    head, ran = env.get("SEMAPHORE_GIT_PR_SHA"), env.get("SEMAPHORE_GIT_SHA")
    return Build(
        vendor="semaphore",
        pipeline=env.get("SEMAPHORE_PROJECT_ID"),
        pipeline_name=env.get("SEMAPHORE_PROJECT_NAME"),
        execution_id=env.get("SEMAPHORE_WORKFLOW_ID"),
        stage_id=env.get("SEMAPHORE_JOB_ID"),
        branch=_branch(env, is_request),
        tag=env.get("SEMAPHORE_GIT_TAG_NAME"),
        sha=head if is_request else ran,
        merge_commit=ran if is_request and not head else None,
        repository=env.get("SEMAPHORE_GIT_URL"),
        trigger_type=_trigger_type(env),
        actor=env.get("SEMAPHORE_WORKFLOW_TRIGGERED_BY"),
        url=_make_build_url(env),
        pull_request=env.get("SEMAPHORE_GIT_PR_NUMBER"),
    )


def _is_request(env: Mapping[str, str]) -> bool:
    """Whether this is a pull request: only they have SEMAPHORE_GIT_PR_*."""
    parts = any(env.get(f"SEMAPHORE_GIT_PR_{name}") for name in ("BRANCH", "NUMBER", "SHA"))
    return parts or env.get("SEMAPHORE_GIT_REF_TYPE") == "pull-request"


def _make_build_url(env: Mapping[str, str]) -> str | None:
    """The address of the workflow's page, below the organization's."""
    server, workflow = env.get("SEMAPHORE_ORGANIZATION_URL"), env.get("SEMAPHORE_WORKFLOW_ID")
    return f"{server.rstrip('/')}/workflows/{workflow}" if server and workflow else None


def _branch(env: Mapping[str, str], is_request: bool) -> str | None:
    """The branch; for a pull request not SEMAPHORE_GIT_BRANCH, which is its target."""
    working = env.get("SEMAPHORE_GIT_WORKING_BRANCH")
    if is_request:
        return env.get("SEMAPHORE_GIT_PR_BRANCH") or working
    return working or env.get("SEMAPHORE_GIT_BRANCH")


def _trigger_type(env: Mapping[str, str]) -> str | None:
    for flag, kind in _STARTED_BY.items():
        if env.get(f"SEMAPHORE_WORKFLOW_TRIGGERED_BY_{flag}") == "true":
            return kind
    kind = "pull-request" if _is_request(env) else env.get("SEMAPHORE_GIT_REF_TYPE", "")
    return _REFS.get(kind)
