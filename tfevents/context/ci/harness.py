"""Harness pipelines: `HARNESS_*` for identifiers, Drone's variables for git and the trigger.

https://developer.harness.io/docs/continuous-integration/troubleshoot-ci/ci-env-var/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci import drone
from tfevents.context.ci._event_file import find_text, parse_event
from tfevents.context.ci.build import Build

_STEP_VARIABLES = ("HARNESS_EXECUTION_ID", "HARNESS_BUILD_ID", "PLUGIN_ENDPOINT_VARIABLES")


def claims(env: Mapping[str, str]) -> bool:
    """Whether this is a step of a Harness pipeline.

    HARNESS_ACCOUNT_ID and the like don't prove that: they are also settings of tfevents. Neither
    does HARNESS_PIPELINE_ID alone: a job of another CI may set it to start that pipeline.
    """
    inside = env.get("HARNESS_PIPELINE_ID") and env.get("HARNESS_STAGE_ID")
    return bool(inside) or any(env.get(name) for name in _STEP_VARIABLES)


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    step = parse_event(env.get("PLUGIN_ENDPOINT_VARIABLES"))
    execution = find_text(step, "pipeline_execution_id")
    stage = find_text(step, "pipeline_stage_execution_id")
    return Build(
        vendor="harness",
        pipeline=env.get("HARNESS_PIPELINE_ID"),
        execution_id=env.get("HARNESS_EXECUTION_ID") or execution,
        execution_number=env.get("HARNESS_BUILD_ID"),
        stage_id=stage or env.get("PLUGIN_STAGE_EXECUTION_ID") or env.get("HARNESS_STAGE_ID"),
        branch=drone.branch(env),
        tag=drone.tag(env),
        sha=env.get("DRONE_COMMIT_SHA"),
        message=env.get("DRONE_COMMIT_MESSAGE"),
        repository=env.get("DRONE_REPO_LINK") or drone.clone_address(env),
        trigger_type=drone.trigger_type(env),
        actor=env.get("HARNESS_USER_ID") or drone.actor(env),
        url=env.get("DRONE_BUILD_LINK"),
        pull_request=env.get("DRONE_PULL_REQUEST"),
    )
