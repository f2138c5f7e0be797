"""Bitbucket Pipelines: `BITBUCKET_*`, which give the trigger only for pull requests and tags.

https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build


def claims(env: Mapping[str, str]) -> bool:
    return bool(env.get("BITBUCKET_BUILD_NUMBER"))


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    slug, number = env.get("BITBUCKET_REPO_FULL_NAME"), env.get("BITBUCKET_BUILD_NUMBER")
    pull_request, tag = env.get("BITBUCKET_PR_ID"), env.get("BITBUCKET_TAG")
    http = env.get("BITBUCKET_GIT_HTTP_ORIGIN")
    return Build(
        vendor="bitbucket",
        pipeline=slug,
        pipeline_name=slug,
        execution_id=env.get("BITBUCKET_PIPELINE_UUID", "").strip("{}"),
        execution_number=number,
        stage_id=env.get("BITBUCKET_STEP_UUID", "").strip("{}"),
        branch=env.get("BITBUCKET_BRANCH"),
        tag=tag,
        sha=env.get("BITBUCKET_COMMIT"),
        repository=http or env.get("BITBUCKET_GIT_SSH_ORIGIN"),
        trigger_type="pull_request" if pull_request else "tag" if tag else None,
        actor=env.get("BITBUCKET_STEP_TRIGGERER_UUID", "").strip("{}"),
        url=f"https://bitbucket.org/{slug}/pipelines/results/{number}" if slug else None,
        pull_request=pull_request,
    )
