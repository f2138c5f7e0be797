"""Scalr: the `SCALR_*` that its agent sets for a run.

https://docs.scalr.io/docs/run-environment
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build

_TYPES = {"run-trigger": "upstream", "ui": "manual"}


def claims(env: Mapping[str, str]) -> bool:
    return bool(env.get("SCALR_RUN_ID"))


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    source = env.get("SCALR_RUN_SOURCE", "")
    return Build(
        vendor="scalr",
        pipeline=env.get("SCALR_WORKSPACE_ID") or env.get("SCALR_WORKSPACE_NAME"),
        pipeline_name=env.get("SCALR_WORKSPACE_NAME"),
        execution_id=env.get("SCALR_RUN_ID"),
        branch=env.get("SCALR_RUN_VCS_BRANCH"),
        sha=env.get("SCALR_RUN_VCS_COMMIT"),
        trigger_type=_TYPES.get(source, source),
    )
