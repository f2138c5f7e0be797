"""Atlantis: the variables that its custom `run` steps and workflow hooks get.

https://www.runatlantis.io/docs/custom-workflows.html#native-environment-variables
https://www.runatlantis.io/docs/post-workflow-hooks.html#custom-run-command
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build

_HOOK_VARIABLES = ("PULL_NUM", "PULL_URL", "HEAD_COMMIT", "BASE_REPO_NAME")
_PULL_REQUEST_PAGES = (
    "/-/merge_requests/",
    "/merge_requests/",
    "/pull-requests/",
    "/pullrequest/",
    "/pulls/",
    "/pull/",
)


def claims(env: Mapping[str, str]) -> bool:
    """Whether this is a `run` step or a hook of Atlantis.

    A hook has no variable named after Atlantis, but four that no other vendor sets together.
    """
    hook = all(env.get(name) for name in _HOOK_VARIABLES)
    return hook or bool(env.get("ATLANTIS_TERRAFORM_VERSION"))


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    project, pull_request = env.get("PROJECT_NAME") or _slug(env), _pull_request(env)
    return Build(
        vendor="atlantis",
        pipeline=project,
        pipeline_name=project,
        branch=env.get("HEAD_BRANCH_NAME"),
        sha=env.get("HEAD_COMMIT"),
        repository=_repository(env),
        trigger_type="pull_request" if pull_request else None,
        actor=env.get("USER_NAME"),
        pull_request=pull_request,
    )


def _pull_request(env: Mapping[str, str]) -> str | None:
    """The pull request's number; None for runs of the API and of drift detection, which have none.

    Such runs have an empty, zero or negative PULL_NUM.
    """
    number = env.get("PULL_NUM", "")
    return number if number.isdigit() and number.strip("0") else None


def _slug(env: Mapping[str, str]) -> str | None:
    owner, name = env.get("BASE_REPO_OWNER"), env.get("BASE_REPO_NAME")
    return f"{owner}/{name}" if owner and name else name


def _repository(env: Mapping[str, str]) -> str | None:
    """The target repository, from the pull request's page; git's `origin` may be the fork."""
    page = env.get("PULL_URL", "")
    for separator in _PULL_REQUEST_PAGES:
        repository, found, _ = page.partition(separator)
        if found:
            return repository
    return None
