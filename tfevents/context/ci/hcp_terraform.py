"""HCP Terraform and Terraform Enterprise: the `TFC_*` of a remote run, without the host.

https://developer.hashicorp.com/terraform/cloud-docs/run/run-environment#environment-variables
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build


def claims(env: Mapping[str, str]) -> bool:
    return bool(env.get("TFC_RUN_ID"))


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    return Build(
        vendor="hcp-terraform",
        pipeline=env.get("TFC_WORKSPACE_SLUG") or env.get("TFC_WORKSPACE_NAME"),
        pipeline_name=env.get("TFC_WORKSPACE_NAME"),
        execution_id=env.get("TFC_RUN_ID"),
        branch=env.get("TFC_CONFIGURATION_VERSION_GIT_BRANCH"),
        tag=env.get("TFC_CONFIGURATION_VERSION_GIT_TAG"),
        sha=env.get("TFC_CONFIGURATION_VERSION_GIT_COMMIT_SHA"),
    )
