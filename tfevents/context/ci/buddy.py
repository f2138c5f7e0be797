"""Buddy: `BUDDY_RUN_*`, and the same values in the older `BUDDY_EXECUTION_*`.

https://buddy.works/docs/pipelines/variables/default-variables
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build


def claims(env: Mapping[str, str]) -> bool:
    return env.get("BUDDY") == "true"


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    pull_request, tag = _number(env), _find_variable(env, "TAG", "TAG")
    branch = _find_variable(env, "BRANCH", "BRANCH")
    source = _find_variable(env, "PULL_REQUEST_HEAD_BRANCH", "PR_HEAD_BRANCH")
    is_request = bool(pull_request or source)
    event = "pull_request" if is_request else "tag" if tag else None
    return Build(
        vendor="buddy",
        pipeline=env.get("BUDDY_PIPELINE_ID"),
        pipeline_name=env.get("BUDDY_PIPELINE_NAME"),
        execution_id=_find_variable(env, "ID", "ID"),
        stage_id=env.get("BUDDY_ACTION_RUN_HASH"),
        branch=source if is_request else branch,
        tag=None if is_request else tag,
        sha=_find_variable(env, "REVISION", "COMMIT"),
        message=_find_variable(env, "REVISION_MESSAGE", "COMMIT_MESSAGE"),
        repository=env.get("BUDDY_SCM_URL") or env.get("BUDDY_REPO_SSH_URL"),
        trigger_type=event,
        actor=env.get("BUDDY_INVOKER_NAME"),
        url=_find_variable(env, "URL", "URL"),
        pull_request=pull_request,
    )


def _number(env: Mapping[str, str]) -> str | None:
    """The pull request's number, if need be from its id, `pull/<number>`."""
    name = _find_variable(env, "PULL_REQUEST_ID", "PR_ID") or ""
    last = name.rpartition("/")[2]
    return _find_variable(env, "PULL_REQUEST_NO", "PR_NO") or (last if last.isdecimal() else None)


def _find_variable(env: Mapping[str, str], old: str, new: str) -> str | None:
    return env.get(f"BUDDY_EXECUTION_{old}") or env.get(f"BUDDY_RUN_{new}")
