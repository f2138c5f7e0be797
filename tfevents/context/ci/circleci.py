"""CircleCI: `CIRCLE_*`; a workflow has an id, only its jobs have numbers and pages.

https://circleci.com/docs/reference/variables/#built-in-environment-variables
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build


def claims(env: Mapping[str, str]) -> bool:
    return env.get("CIRCLECI") == "true"


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    slug = _slug(env)
    return Build(
        vendor="circleci",
        pipeline=slug,
        pipeline_name=slug,
        execution_id=env.get("CIRCLE_WORKFLOW_ID"),
        stage_id=env.get("CIRCLE_WORKFLOW_JOB_ID"),
        branch=env.get("CIRCLE_BRANCH"),
        tag=env.get("CIRCLE_TAG"),
        sha=env.get("CIRCLE_SHA1"),
        repository=env.get("CIRCLE_REPOSITORY_URL"),
        trigger_type=_trigger_type(env),
        actor=env.get("CIRCLE_USERNAME"),
        url=env.get("CIRCLE_BUILD_URL"),
        pull_request=_pull_request(env),
    )


def _slug(env: Mapping[str, str]) -> str | None:
    owner, name = env.get("CIRCLE_PROJECT_USERNAME"), env.get("CIRCLE_PROJECT_REPONAME")
    return f"{owner}/{name}" if owner and name else name


def _trigger_type(env: Mapping[str, str]) -> str | None:
    """The trigger type, known only for a tag and for a fork's pull request."""
    if env.get("CIRCLE_TAG"):
        return "tag"
    return "pull_request" if env.get("CIRCLE_PR_NUMBER") else None


def _pull_request(env: Mapping[str, str]) -> str | None:
    """The pull request's number, else the end of its page's address (CIRCLE_PULL_REQUEST)."""
    last = env.get("CIRCLE_PULL_REQUEST", "").rstrip("/").rpartition("/")[2]
    return env.get("CIRCLE_PR_NUMBER") or (last if last.isdigit() else None)
