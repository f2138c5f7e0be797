"""Spacelift: the `TF_VAR_spacelift_*` that it sets for each run.

https://docs.spacelift.io/concepts/configuration/environment#environment-variables
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build


def claims(env: Mapping[str, str]) -> bool:
    return bool(env.get("TF_VAR_spacelift_run_id"))


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    stack = env.get("TF_VAR_spacelift_stack_id")
    return Build(
        vendor="spacelift",
        pipeline=stack,
        pipeline_name=stack,
        execution_id=env.get("TF_VAR_spacelift_run_id"),
        branch=env.get("TF_VAR_spacelift_commit_branch"),
        sha=env.get("TF_VAR_spacelift_commit_sha"),
    )
