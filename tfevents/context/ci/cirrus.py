"""Cirrus CI: `CIRRUS_*`; for a pull request, CIRRUS_BRANCH is `pull/<number>`, which is no branch.

https://cirrus-ci.org/guide/writing-tasks/#environment-variables
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build


def claims(env: Mapping[str, str]) -> bool:
    return env.get("CIRRUS_CI") == "true"


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    build = env.get("CIRRUS_BUILD_ID")
    slug, pull_request = env.get("CIRRUS_REPO_FULL_NAME"), env.get("CIRRUS_PR")
    return Build(
        vendor="cirrus",
        pipeline=slug,
        pipeline_name=slug,
        execution_id=build,
        stage_id=env.get("CIRRUS_TASK_ID"),
        branch=env.get("CIRRUS_BRANCH"),
        tag=env.get("CIRRUS_TAG"),
        sha=env.get("CIRRUS_CHANGE_IN_REPO"),
        # for a pull request this is its title and description
        message=None if pull_request else env.get("CIRRUS_CHANGE_MESSAGE"),
        repository=env.get("CIRRUS_REPO_CLONE_URL"),
        trigger_type=_trigger_type(env),
        url=f"https://cirrus-ci.com/build/{build}" if build else None,
        pull_request=pull_request,
    )


def _trigger_type(env: Mapping[str, str]) -> str:
    if env.get("CIRRUS_CRON"):
        return "schedule"
    if env.get("CIRRUS_API_CREATED") == "true":
        return "api"
    if env.get("CIRRUS_PR"):
        return "pull_request"
    return "tag" if env.get("CIRRUS_TAG") else "push"
