"""Travis CI: `TRAVIS_*`; the repository is only a slug, without its provider.

https://docs.travis-ci.com/user/environment-variables/#default-environment-variables
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build


def claims(env: Mapping[str, str]) -> bool:
    return env.get("TRAVIS") == "true"


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    is_request = _is_request(env)
    head, ran = env.get("TRAVIS_PULL_REQUEST_SHA"), env.get("TRAVIS_COMMIT")
    branch = env.get("TRAVIS_PULL_REQUEST_BRANCH" if is_request else "TRAVIS_BRANCH")
    slug = env.get("TRAVIS_REPO_SLUG")
    return Build(
        vendor="travis",
        pipeline=slug,
        pipeline_name=slug,
        execution_id=env.get("TRAVIS_BUILD_ID"),
        execution_number=env.get("TRAVIS_BUILD_NUMBER"),
        stage_id=env.get("TRAVIS_JOB_ID"),
        branch=branch,
        tag=env.get("TRAVIS_TAG"),
        sha=head if is_request else ran,
        merge_commit=ran if is_request and not head else None,
        message=None if is_request else env.get("TRAVIS_COMMIT_MESSAGE"),
        trigger_type=_trigger_type(env),
        url=env.get("TRAVIS_BUILD_WEB_URL") or env.get("TRAVIS_JOB_WEB_URL"),
        pull_request=env.get("TRAVIS_PULL_REQUEST"),
    )


def _is_request(env: Mapping[str, str]) -> bool:
    """Whether this is a pull request.

    TRAVIS_PULL_REQUEST is a number or `false`; without it, the variables of the head decide.
    """
    told = env.get("TRAVIS_PULL_REQUEST")
    head = env.get("TRAVIS_PULL_REQUEST_SHA") or env.get("TRAVIS_PULL_REQUEST_BRANCH")
    return told != "false" if told else bool(head)


def _trigger_type(env: Mapping[str, str]) -> str:
    event = env.get("TRAVIS_EVENT_TYPE") or ("pull_request" if _is_request(env) else "")
    if event == "push" and env.get("TRAVIS_TAG"):
        return "tag"
    return "schedule" if event == "cron" else event
