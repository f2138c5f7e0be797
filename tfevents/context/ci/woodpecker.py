"""Woodpecker: `CI_*`, distinguished from other vendors by `CI` or `CI_SYSTEM_NAME`.

https://woodpecker-ci.org/docs/usage/environment#built-in-environment-variables
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build

_TYPES = {
    "cron": "schedule",
    "pull_request_closed": "pull_request",
    "pull_request_metadata": "pull_request",
}


def claims(env: Mapping[str, str]) -> bool:
    return env.get("CI") == "woodpecker" or env.get("CI_SYSTEM_NAME") == "woodpecker"


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    event = env.get("CI_PIPELINE_EVENT", "")
    source = env.get("CI_COMMIT_SOURCE_BRANCH")
    target = None if env.get("CI_COMMIT_PULL_REQUEST") else env.get("CI_COMMIT_BRANCH")
    return Build(
        vendor="woodpecker",
        pipeline=env.get("CI_REPO"),
        pipeline_name=env.get("CI_REPO"),
        execution_id=env.get("CI_PIPELINE_NUMBER"),  # its API takes the number
        execution_number=env.get("CI_PIPELINE_NUMBER"),
        branch=source or target,
        tag=env.get("CI_COMMIT_TAG"),
        sha=env.get("CI_COMMIT_SHA"),
        message=env.get("CI_COMMIT_MESSAGE"),
        repository=env.get("CI_REPO_CLONE_URL") or env.get("CI_REPO_CLONE_SSH_URL"),
        trigger_type=_TYPES.get(event, event),
        actor=env.get("CI_PIPELINE_AUTHOR"),
        url=env.get("CI_PIPELINE_URL"),
        pull_request=env.get("CI_COMMIT_PULL_REQUEST"),
    )
