"""AWS CodeBuild, also as an action of CodePipeline, which is then reported as the pipeline.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from tfevents.context.ci.build import Build

_TYPES = {"pr": "pull_request", "tag": "tag", "branch": "push"}


def claims(env: Mapping[str, str]) -> bool:
    return bool(env.get("CODEBUILD_BUILD_ID") or env.get("CODEBUILD_BUILD_ARN"))


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    build = _build(env)
    _, inside, pipeline = env.get("CODEBUILD_INITIATOR", "").partition("codepipeline/")
    if not inside:
        return build
    return replace(
        build,
        vendor="codepipeline",
        pipeline=pipeline,
        pipeline_name=pipeline,
        execution_id=None,  # not known here; CodeBuild's build is only one action of it
        execution_number=None,
        stage_id=build.execution_id,
        actor=None,
    )


def _build(env: Mapping[str, str]) -> Build:
    arn = env.get("CODEBUILD_BUILD_ARN", "").partition(":build/")[2]
    build_id = env.get("CODEBUILD_BUILD_ID") or arn
    project = build_id.partition(":")[0]
    event, _, name = env.get("CODEBUILD_WEBHOOK_TRIGGER", "").partition("/")
    ref = env.get("CODEBUILD_SOURCE_VERSION", "").partition("^{")[0]
    branch = name if event == "branch" else _remove_ref_prefix(ref, "refs/heads/")
    repository = env.get("CODEBUILD_SOURCE_REPO_URL", "")
    sender = env.get("CODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID")
    return Build(
        vendor="codebuild",
        pipeline=project,
        pipeline_name=project,
        execution_id=build_id,
        execution_number=env.get("CODEBUILD_BUILD_NUMBER"),
        branch=env.get("CODEBUILD_WEBHOOK_HEAD_REF") or branch,
        tag=name if event == "tag" else _remove_ref_prefix(ref, "refs/tags/"),
        sha=env.get("CODEBUILD_RESOLVED_SOURCE_VERSION"),
        repository=None if repository.startswith("s3://") else repository,
        trigger_type=_TYPES.get(event),
        actor=sender if event else _user(env),
        url=env.get("CODEBUILD_PUBLIC_BUILD_URL"),
        pull_request=name if event == "pr" else _remove_ref_prefix(ref, "pr/"),
    )


def _remove_ref_prefix(ref: str, prefix: str) -> str | None:
    """The requested ref without `prefix`; None without it: a bare `v1` may be a branch or a tag."""
    return ref.removeprefix(prefix) if ref.startswith(prefix) else None


def _user(env: Mapping[str, str]) -> str | None:
    """The user who started the build.

    None for `rule/nightly` (EventBridge), `GitHub-Hookshot/044aadd` and Jenkins' plugin.
    """
    initiator = env.get("CODEBUILD_INITIATOR", "")
    return None if "/" in initiator or initiator == "CodeBuild-Jenkins-Plugin" else initiator
