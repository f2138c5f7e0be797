"""Bitrise: `BITRISE_*`; a build is one workflow, alone or as a part of a pipeline.

https://docs.bitrise.io/en/bitrise-ci/references/available-environment-variables.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from tfevents.context.ci.build import Build


def claims(env: Mapping[str, str]) -> bool:
    return env.get("BITRISE_IO") == "true"


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    build = _workflow(env)
    if not env.get("BITRISEIO_PIPELINE_ID"):
        return build
    return replace(
        build,
        pipeline=env.get("BITRISEIO_PIPELINE_TITLE"),
        pipeline_name=env.get("BITRISEIO_PIPELINE_TITLE"),
        execution_id=env.get("BITRISEIO_PIPELINE_ID"),  # of the run, not of the definition
        execution_number=None,
        stage_id=build.execution_id,
        url=env.get("BITRISEIO_PIPELINE_BUILD_URL") or build.url,
    )


def _workflow(env: Mapping[str, str]) -> Build:
    workflow = env.get("BITRISE_TRIGGERED_WORKFLOW_ID")
    head, cloned = env.get("BITRISE_GIT_COMMIT"), env.get("GIT_CLONE_COMMIT_HASH")
    merged = not head and bool(env.get("BITRISEIO_PULL_REQUEST_MERGE_BRANCH"))
    sha = None if merged else head or cloned
    return Build(
        vendor="bitrise",
        pipeline=workflow,
        pipeline_name=env.get("BITRISE_TRIGGERED_WORKFLOW_TITLE") or workflow,
        execution_id=env.get("BITRISE_BUILD_SLUG"),
        execution_number=env.get("BITRISE_BUILD_NUMBER"),
        branch=env.get("BITRISE_GIT_BRANCH"),
        tag=env.get("BITRISE_GIT_TAG"),
        sha=sha,
        merge_commit=cloned if merged else None,
        message=_message(env, sha),
        repository=env.get("GIT_REPOSITORY_URL"),
        trigger_type=_trigger_type(env),
        actor=env.get("BITRISE_TRIGGER_BY"),
        url=env.get("BITRISE_BUILD_URL"),
        pull_request=env.get("BITRISE_PULL_REQUEST"),
    )


def _message(env: Mapping[str, str], sha: str | None) -> str | None:
    """The commit's message; None if unknown.

    BITRISE_GIT_MESSAGE may also be a pull request's title or a text typed for a manual build.
    """
    if sha and sha == env.get("GIT_CLONE_COMMIT_HASH"):
        body = env.get("GIT_CLONE_COMMIT_MESSAGE_BODY")
        subject = env.get("GIT_CLONE_COMMIT_MESSAGE_SUBJECT", "")
        return f"{subject}\n\n{body}" if body else subject
    return env.get("BITRISE_GIT_MESSAGE") if _trigger_type(env) in ("push", "tag") else None


def _trigger_type(env: Mapping[str, str]) -> str | None:
    if env.get("BITRISE_PULL_REQUEST"):
        return "pull_request"
    method = env.get("BITRISE_TRIGGER_METHOD")
    if method == "webhook":
        return "tag" if env.get("BITRISE_GIT_TAG") else "push"
    return method
