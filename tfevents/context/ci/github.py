"""GitHub Actions: `GITHUB_*` and the event file, which Gitea and Forgejo provide, too.

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
    """The job's build; for Gitea and Forgejo, too, except for the vendor and the run's page."""
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
        chooses_checkout=_chooses_checkout(env, event),
    )


def _repository(env: Mapping[str, str]) -> str | None:
    server, slug = env.get("GITHUB_SERVER_URL"), env.get("GITHUB_REPOSITORY")
    return f"{server.rstrip('/')}/{slug}" if server and slug else None


def _branch(env: Mapping[str, str], event: object) -> str | None:
    """The branch; of a pull request, its head branch.

    GITHUB_REF would then be a merge ref, or the base branch (`pull_request_target`).
    """
    source = env.get("GITHUB_HEAD_REF") or find_text(event, "pull_request", "head", "ref")
    return source or env.get("GITHUB_REF")


def _tag(env: Mapping[str, str]) -> str | None:
    """The tag; from GITHUB_REF first, because older GitHub servers set no GITHUB_REF_TYPE."""
    ref = env.get("GITHUB_REF", "")
    named = env.get("GITHUB_REF_NAME") if env.get("GITHUB_REF_TYPE") == "tag" else None
    return ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else named


def _chooses_checkout(env: Mapping[str, str], event: object) -> bool:
    """Whether the job chooses what it checks out.

    A workflow that a comment on a pull request (`/plan`, `/apply`) or the end of another workflow
    starts runs on the default branch and checks out the relevant commit itself.
    """
    commented = find_text(event, "issue", "pull_request", "url") is not None
    return commented or env.get("GITHUB_EVENT_NAME") == "workflow_run"


def _is_merge_ref(env: Mapping[str, str]) -> bool:
    ref = env.get("GITHUB_REF", "")
    return ref.startswith("refs/pull/") and ref.endswith("/merge")


def _message(env: Mapping[str, str], event: object) -> str | None:
    """The message of GITHUB_SHA, if the event has it; that of a pull request has no messages."""
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
    """The pull request's number, from the event (also of a comment on one), else from the ref."""
    number = find_text(event, "pull_request", "number")
    if find_text(event, "issue", "pull_request", "url"):
        number = number or find_text(event, "issue", "number")
    _, _, rest = env.get("GITHUB_REF", "").partition("refs/pull/")
    return number or rest.partition("/")[0]
