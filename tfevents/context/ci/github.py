"""GitHub Actions: `GITHUB_*` and the event file; Gitea and Forgejo speak the same language.

https://docs.github.com/en/actions/reference/workflows-and-actions/variables
https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci._event_file import find_text, parse_event
from tfevents.context.ci.build import Build

_TYPES = {
    "pull_request_target": "pull_request",
    "workflow_dispatch": "manual",
    "repository_dispatch": "api",
    "workflow_run": "upstream",
}


def claims(env: Mapping[str, str]) -> bool:
    return env.get("GITHUB_ACTIONS") == "true"


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    """Also what Gitea and Forgejo say, but for their name and the address of a run."""
    path = env.get("GITHUB_EVENT_PATH")
    event = parse_event(read_file(path)) if path else None
    head, ran = find_text(event, "pull_request", "head", "sha"), env.get("GITHUB_SHA")
    merged = not head and _is_merge_ref(env)
    workflow, _, _ = env.get("GITHUB_WORKFLOW_REF", "").partition("@")
    repository = _repository(env)
    run = env.get("GITHUB_RUN_ID")
    return Build(
        vendor="github",
        pipeline=workflow or env.get("GITHUB_WORKFLOW"),
        pipeline_name=env.get("GITHUB_WORKFLOW"),
        execution_id=run,
        execution_number=env.get("GITHUB_RUN_NUMBER"),
        branch=_branch(env, event),
        tag=_tag(env),
        sha=None if merged else head or ran,
        merge_commit=ran if merged else None,
        message=_message(env, event),
        repository=repository,
        trigger_type=_trigger_type(env),
        actor=env.get("GITHUB_ACTOR"),
        url=f"{repository}/actions/runs/{run}" if repository and run else None,
        pull_request=_pull_request(env, event),
        chooses=_chooses(env, event),
    )


def _repository(env: Mapping[str, str]) -> str | None:
    server, slug = env.get("GITHUB_SERVER_URL"), env.get("GITHUB_REPOSITORY")
    return f"{server.rstrip('/')}/{slug}" if server and slug else None


def _branch(env: Mapping[str, str], event: object) -> str | None:
    """GITHUB_REF is a merge ref, or the base of pull_request_target."""
    source = env.get("GITHUB_HEAD_REF") or find_text(event, "pull_request", "head", "ref")
    return source or env.get("GITHUB_REF")


def _tag(env: Mapping[str, str]) -> str | None:
    """GITHUB_REF_TYPE came later to GitHub's own servers than GITHUB_REF."""
    ref = env.get("GITHUB_REF", "")
    named = env.get("GITHUB_REF_NAME") if env.get("GITHUB_REF_TYPE") == "tag" else None
    return ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else named


def _chooses(env: Mapping[str, str], event: object) -> bool:
    """A comment on a pull request (`/plan`, `/apply`) and the end of another workflow start one
    on the default branch, which then checks out whatever it was started for."""
    commented = find_text(event, "issue", "pull_request", "url") is not None
    return commented or env.get("GITHUB_EVENT_NAME") == "workflow_run"


def _is_merge_ref(env: Mapping[str, str]) -> bool:
    ref = env.get("GITHUB_REF", "")
    return ref.startswith("refs/pull/") and ref.endswith("/merge")


def _message(env: Mapping[str, str], event: object) -> str | None:
    """Of the commit in GITHUB_SHA only: a pull request's event does not have its head's."""
    for place in (("head_commit",), ("merge_group", "head_commit")):
        if find_text(event, *place, "id") == env.get("GITHUB_SHA"):
            return find_text(event, *place, "message")
    return None


def _trigger_type(env: Mapping[str, str]) -> str:
    event = env.get("GITHUB_EVENT_NAME", "")
    if event == "push" and _tag(env):
        return "tag"
    return _TYPES.get(event, event)


def _pull_request(env: Mapping[str, str], event: object) -> str | None:
    """From the event, also of a comment (an issue that has a pull request), else from the ref."""
    number = find_text(event, "pull_request", "number")
    if find_text(event, "issue", "pull_request", "url"):
        number = number or find_text(event, "issue", "number")
    _, _, rest = env.get("GITHUB_REF", "").partition("refs/pull/")
    return number or rest.partition("/")[0]
