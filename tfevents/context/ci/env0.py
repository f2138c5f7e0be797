"""env zero: the `ENV0_*` that a custom flow gets.

https://docs.envzero.com/guides/admin-guide/custom-flows#exposed-env-zero-system-environment-variables
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build

_TYPES = {"prPlan": "pull_request", "driftDetection": "driftDetection"}


def claims(env: Mapping[str, str]) -> bool:
    """Whether this is a deployment of env zero.

    ENV0_ENVIRONMENT_ID alone proves nothing: jobs that call env zero set it, too.
    """
    inside = env.get("ENV0_ENVIRONMENT_ID") and env.get("ENV0_DEPLOYMENT_TYPE")
    return bool(env.get("ENV0_DEPLOYMENT_LOG_ID") or inside)


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    environment, pull_request = env.get("ENV0_ENVIRONMENT_ID"), env.get("ENV0_PR_NUMBER")
    kind = env.get("ENV0_DEPLOYMENT_TYPE", "")
    return Build(
        vendor="env0",
        pipeline=environment or env.get("ENV0_ENVIRONMENT_NAME"),
        pipeline_name=env.get("ENV0_ENVIRONMENT_NAME"),
        execution_id=env.get("ENV0_DEPLOYMENT_LOG_ID"),
        branch=env.get("ENV0_PR_SOURCE_BRANCH"),
        sha=env.get("ENV0_COMMIT_HASH"),
        repository=env.get("ENV0_TEMPLATE_REPOSITORY"),
        trigger_type="pull_request" if pull_request else _TYPES.get(kind),
        actor=env.get("ENV0_DEPLOYER_NAME"),
        pull_request=pull_request,
    )
