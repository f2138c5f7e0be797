"""Drone: `DRONE_*`, variables that Harness and Woodpecker set, too.

https://docs.drone.io/pipeline/environment/reference/
https://github.com/drone/runner-go/blob/master/environ/environ.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build

_TYPES = {"cron": "schedule", "custom": "manual"}


def claims(env: Mapping[str, str]) -> bool:
    return env.get("DRONE") == "true"


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    return Build(
        vendor="drone",
        pipeline=env.get("DRONE_REPO"),
        pipeline_name=env.get("DRONE_REPO"),
        execution_id=env.get("DRONE_BUILD_NUMBER"),  # its API takes the number
        execution_number=env.get("DRONE_BUILD_NUMBER"),
        branch=branch(env),
        tag=tag(env),
        sha=env.get("DRONE_COMMIT_SHA"),
        message=env.get("DRONE_COMMIT_MESSAGE"),
        repository=clone_address(env) or env.get("DRONE_REPO_LINK"),
        trigger_type=trigger_type(env),
        actor=actor(env),
        url=env.get("DRONE_BUILD_LINK"),
        pull_request=env.get("DRONE_PULL_REQUEST"),
    )


def branch(env: Mapping[str, str]) -> str | None:
    """The branch that was built; of a pull request, its source branch.

    For a pull request, DRONE_COMMIT_BRANCH (or DRONE_BRANCH, the same) is the target branch, also
    when it is promoted later, although DRONE_PULL_REQUEST is not set then.
    """
    target = env.get("DRONE_COMMIT_BRANCH") or env.get("DRONE_BRANCH")
    return env.get("DRONE_SOURCE_BRANCH") or (None if env.get("DRONE_PULL_REQUEST") else target)


def tag(env: Mapping[str, str]) -> str | None:
    """The tag that was built; Harness also puts its ref into the variables of the branch."""
    refs = (env.get(f"DRONE_{name}", "") for name in ("COMMIT_REF", "COMMIT_BRANCH", "BRANCH"))
    names = (ref.removeprefix("refs/tags/") for ref in refs if ref.startswith("refs/tags/"))
    return env.get("DRONE_TAG") or next(names, None)


def clone_address(env: Mapping[str, str]) -> str | None:
    return env.get("DRONE_GIT_HTTP_URL") or env.get("DRONE_GIT_SSH_URL")


def trigger_type(env: Mapping[str, str]) -> str | None:
    """The trigger type; `tag` for a push of a tag, as Harness reports webhooks for tags."""
    event = env.get("DRONE_BUILD_EVENT", "")
    if event == "push" and tag(env):
        return "tag"
    return _TYPES.get(event, event)


def actor(env: Mapping[str, str]) -> str | None:
    """Who started the build; None for `@hook`, `@cron` and `webhook`."""
    trigger = env.get("DRONE_BUILD_TRIGGER", "")
    return None if trigger.startswith("@") or trigger.lower() == "webhook" else trigger
