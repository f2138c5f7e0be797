"""Buildkite: `BUILDKITE_*`.

https://buildkite.com/docs/pipelines/configure/environment-variables
https://buildkite.com/docs/pipelines/source-control/github
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build

_TYPES = {"ui": "manual", "trigger_job": "upstream"}


def claims(env: Mapping[str, str]) -> bool:
    return env.get("BUILDKITE") == "true"


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    slug, hooked = env.get("BUILDKITE_PIPELINE_SLUG"), env.get("BUILDKITE_SOURCE") == "webhook"
    return Build(
        vendor="buildkite",
        pipeline=env.get("BUILDKITE_PIPELINE_ID") or slug,
        pipeline_name=env.get("BUILDKITE_PIPELINE_NAME") or slug,
        execution_id=env.get("BUILDKITE_BUILD_ID"),
        execution_number=env.get("BUILDKITE_BUILD_NUMBER"),
        stage_id=env.get("BUILDKITE_JOB_ID"),
        # a fork's branch may be given as `owner:branch`; git allows no colon in a branch
        branch=env.get("BUILDKITE_BRANCH", "").rpartition(":")[2],
        tag=env.get("BUILDKITE_TAG"),
        sha=env.get("BUILDKITE_COMMIT"),
        # without a webhook it is a text given for the build, not the commit's message
        message=env.get("BUILDKITE_MESSAGE") if hooked else None,
        repository=env.get("BUILDKITE_REPO"),
        trigger_type=_webhook(env) if hooked else _source(env),
        actor=env.get("BUILDKITE_BUILD_CREATOR"),
        url=env.get("BUILDKITE_BUILD_URL"),
        pull_request=env.get("BUILDKITE_PULL_REQUEST"),
    )


def _source(env: Mapping[str, str]) -> str:
    source = env.get("BUILDKITE_SOURCE", "")
    return _TYPES.get(source, source)


def _webhook(env: Mapping[str, str]) -> str:
    if env.get("BUILDKITE_PULL_REQUEST", "false") not in ("", "false"):
        return "pull_request"
    return "tag" if env.get("BUILDKITE_TAG") else "push"
