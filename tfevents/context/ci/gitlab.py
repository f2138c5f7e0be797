"""GitLab CI/CD: `CI_*`, also in pipelines of merge requests and of external pull requests.

https://docs.gitlab.com/ci/variables/predefined_variables/
https://docs.gitlab.com/ci/jobs/job_rules/#ci_pipeline_source-predefined-variable
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build

_TYPES = {
    "merge_request_event": "pull_request",
    "external_pull_request_event": "pull_request",
    "web": "manual",
    "trigger": "api",
    "pipeline": "upstream",
    "parent_pipeline": "upstream",
}
_MERGED = ("merged_result", "merge_train")


def claims(env: Mapping[str, str]) -> bool:
    return env.get("GITLAB_CI") == "true"


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    head, ran = _source(env, "BRANCH_SHA"), env.get("CI_COMMIT_SHA")
    slug = env.get("CI_PROJECT_PATH")
    project = env.get("CI_MERGE_REQUEST_PROJECT_URL") or env.get("CI_PROJECT_URL")
    merged = not head and env.get("CI_MERGE_REQUEST_EVENT_TYPE") in _MERGED
    return Build(
        vendor="gitlab",
        pipeline=slug,
        pipeline_name=env.get("CI_PIPELINE_NAME") or slug,
        execution_id=env.get("CI_PIPELINE_ID"),
        execution_number=env.get("CI_PIPELINE_IID"),
        stage_id=env.get("CI_JOB_ID"),
        branch=_source(env, "BRANCH_NAME") or env.get("CI_COMMIT_BRANCH") or _ref(env),
        tag=env.get("CI_COMMIT_TAG"),
        sha=None if merged else head or ran,
        merge_commit=ran if merged else None,
        message=None if merged or head not in (None, "", ran) else env.get("CI_COMMIT_MESSAGE"),
        repository=project or env.get("CI_REPOSITORY_URL"),
        trigger_type=_trigger_type(env),
        actor=env.get("GITLAB_USER_LOGIN"),
        url=env.get("CI_PIPELINE_URL") or env.get("CI_JOB_URL"),
        pull_request=env.get("CI_MERGE_REQUEST_IID") or env.get("CI_EXTERNAL_PULL_REQUEST_IID"),
    )


def _source(env: Mapping[str, str], fact: str) -> str | None:
    """A variable of the source of a merge request or an external pull request."""
    own = env.get(f"CI_MERGE_REQUEST_SOURCE_{fact}")
    return own or env.get(f"CI_EXTERNAL_PULL_REQUEST_SOURCE_{fact}")


def _ref(env: Mapping[str, str]) -> str | None:
    """The branch for GitLab before 12.6, which has no CI_COMMIT_BRANCH; may be a merge ref."""
    return None if env.get("CI_COMMIT_TAG") else env.get("CI_COMMIT_REF_NAME")


def _trigger_type(env: Mapping[str, str]) -> str:
    source = env.get("CI_PIPELINE_SOURCE", "")
    return "tag" if source == "push" and env.get("CI_COMMIT_TAG") else _TYPES.get(source, source)
