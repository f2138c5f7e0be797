"""Codefresh: `CF_*`.

https://codefresh.io/docs/docs/pipelines/variables/#system-variables
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build

_COMMIT_PAGES = ("/-/commit/", "/commit/", "/commits/")


def claims(env: Mapping[str, str]) -> bool:
    return bool(env.get("CF_BUILD_ID"))


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    branch, release = env.get("CF_BRANCH"), env.get("CF_RELEASE_TAG")
    head, ran = env.get("CF_PULL_REQUEST_HEAD_COMMIT_SHA"), env.get("CF_REVISION")
    return Build(
        vendor="codefresh",
        pipeline=env.get("CF_PIPELINE_NAME"),
        pipeline_name=env.get("CF_PIPELINE_NAME"),
        execution_id=env.get("CF_BUILD_ID"),
        branch=env.get("CF_PULL_REQUEST_HEAD_BRANCH") or branch,
        tag=release if release and branch == release else None,
        sha=head or ran,
        message=_message(env) if head in (None, "", ran) else None,
        repository=_repository(env),
        trigger_type=_trigger_type(env),
        actor=env.get("CF_BUILD_INITIATOR"),
        url=env.get("CF_BUILD_URL"),
        pull_request=env.get("CF_PULL_REQUEST_NUMBER"),
    )


def _message(env: Mapping[str, str]) -> str:
    """The commit's message, in which Codefresh escapes quotes with a backslash."""
    return env.get("CF_COMMIT_MESSAGE", "").replace("\\'", "'").replace('\\"', '"')


def _repository(env: Mapping[str, str]) -> str | None:
    """The repository's address, from the commit's page: other variables do not give the host."""
    slug = f"/{env.get('CF_REPO_OWNER')}/{env.get('CF_REPO_NAME')}"
    page = env.get("CF_COMMIT_URL", "")
    for separator in _COMMIT_PAGES:
        repository, found, _ = page.partition(separator)
        if found and repository.endswith(slug):
            return repository
    return None


def _trigger_type(env: Mapping[str, str]) -> str | None:
    if env.get("CF_PULL_REQUEST_NUMBER"):
        return "pull_request"
    trigger = env.get("CF_BUILD_TRIGGER")
    if trigger == "webhook":
        return "tag" if env.get("CF_RELEASE_TAG") else "push"
    return "manual" if trigger == "build" else trigger
