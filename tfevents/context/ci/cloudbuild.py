"""Google Cloud Build, if a build maps substitutions to variables (`automapSubstitutions`).

https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build

_COMMON_VARIABLES = ("PROJECT_NUMBER", "LOCATION", "TRIGGER_NAME", "COMMIT_SHA", "REVISION_ID")


def claims(env: Mapping[str, str]) -> bool:
    """Whether this is a build of Cloud Build.

    No variable is named after the vendor, so several common names must be set together.
    """
    both = env.get("BUILD_ID") and env.get("PROJECT_ID")
    return bool(both and any(env.get(name) for name in _COMMON_VARIABLES))


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    pull_request, tag = env.get("_PR_NUMBER"), env.get("TAG_NAME")
    return Build(
        vendor="cloudbuild",
        pipeline=env.get("TRIGGER_NAME"),
        pipeline_name=env.get("TRIGGER_NAME"),
        execution_id=env.get("BUILD_ID"),
        branch=env.get("_HEAD_BRANCH") or env.get("BRANCH_NAME"),
        tag=tag,
        sha=env.get("COMMIT_SHA") or env.get("REVISION_ID"),
        trigger_type="pull_request" if pull_request else "tag" if tag else None,
        pull_request=pull_request,
    )
