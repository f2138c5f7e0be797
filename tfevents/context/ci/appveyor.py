"""AppVeyor: `APPVEYOR_*`, whose values are `True` on Windows and `true` elsewhere.

https://www.appveyor.com/docs/environment-variables/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build

# Providers with one host; AppVeyor does not give the host of an enterprise server.
_HOSTS = {"gitHub": "github.com", "bitBucket": "bitbucket.org", "gitLab": "gitlab.com"}


def claims(env: Mapping[str, str]) -> bool:
    return _is_true(env, "APPVEYOR")


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    slug, tag = env.get("APPVEYOR_REPO_NAME"), _is_true(env, "APPVEYOR_REPO_TAG")
    host = _HOSTS.get(env.get("APPVEYOR_REPO_PROVIDER", ""))
    is_request = _is_request(env)
    head, ran = env.get("APPVEYOR_PULL_REQUEST_HEAD_COMMIT"), env.get("APPVEYOR_REPO_COMMIT")
    source, base = "APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH", "APPVEYOR_REPO_BRANCH"
    return Build(
        vendor="appveyor",
        pipeline=slug,
        pipeline_name=slug,
        execution_id=env.get("APPVEYOR_BUILD_ID"),
        execution_number=env.get("APPVEYOR_BUILD_NUMBER"),
        stage_id=env.get("APPVEYOR_JOB_ID"),
        branch=env.get(source if is_request else base),
        tag=env.get("APPVEYOR_REPO_TAG_NAME") if tag else None,
        sha=head if is_request else ran,
        merge_commit=ran if is_request and not head else None,
        message=_message(env),
        repository=f"https://{host}/{slug}" if host and slug else None,
        trigger_type=_trigger_type(env),
        url=_make_build_url(env),
        pull_request=env.get("APPVEYOR_PULL_REQUEST_NUMBER"),
    )


def _is_request(env: Mapping[str, str]) -> bool:
    """Whether this is a pull request; one variable is enough: a script may pass on only one."""
    names = ("NUMBER", "HEAD_COMMIT", "HEAD_REPO_BRANCH")
    return any(env.get(f"APPVEYOR_PULL_REQUEST_{name}") for name in names)


def _is_true(env: Mapping[str, str], name: str) -> bool:
    return env.get(name, "").lower() == "true"


def _message(env: Mapping[str, str]) -> str:
    subject = env.get("APPVEYOR_REPO_COMMIT_MESSAGE", "")
    rest = env.get("APPVEYOR_REPO_COMMIT_MESSAGE_EXTENDED")
    return f"{subject}\n{rest}" if rest else subject


def _trigger_type(env: Mapping[str, str]) -> str:
    if _is_request(env):
        return "pull_request"
    if _is_true(env, "APPVEYOR_SCHEDULED_BUILD"):
        return "schedule"
    if _is_true(env, "APPVEYOR_FORCED_BUILD"):
        return "manual"
    return "tag" if _is_true(env, "APPVEYOR_REPO_TAG") else "push"


def _make_build_url(env: Mapping[str, str]) -> str | None:
    names = ("APPVEYOR_URL", "APPVEYOR_ACCOUNT_NAME", "APPVEYOR_PROJECT_SLUG", "APPVEYOR_BUILD_ID")
    server, account, project, build = (env.get(name) for name in names)
    if not (server and account and project and build):
        return None
    return f"{server.rstrip('/')}/project/{account}/{project}/builds/{build}"
