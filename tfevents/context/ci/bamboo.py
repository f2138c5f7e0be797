"""Bamboo: its variables `bamboo.x.y`, which are `bamboo_x_y` in the environment.

https://confluence.atlassian.com/bamboo/bamboo-variables-289277087.html
https://confluence.atlassian.com/display/BAMBOO/Variables+for+deployment+environments
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from tfevents.context.ci.build import Build

_TYPES = {"Manual": "manual", "Scheduled": "schedule", "Dependency": "upstream"}
_REASON = "TriggerReason"


def claims(env: Mapping[str, str]) -> bool:
    names = ("bamboo_buildKey", "bamboo_planKey", "bamboo_deploy_project")
    return any(env.get(name) for name in names)


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    plan, number = env.get("bamboo_planKey"), env.get("bamboo_buildNumber")
    pull_request = env.get("bamboo_repository_pr_key")
    user = env.get("bamboo_ManualBuildTriggerReason_userName")
    source = env.get("bamboo_repository_pr_sourceBranch")
    build = Build(
        vendor="bamboo",
        pipeline=plan,
        pipeline_name=env.get("bamboo_planName"),
        # bamboo_buildResultKey names the job: PROJECT-PLAN-JOB-8
        execution_id=f"{plan}-{number}" if plan and number else None,
        execution_number=number,
        stage_id=env.get("bamboo_buildResultKey"),
        branch=source or _repository(env, "branch") or _repository(env, "branchName"),
        sha=_repository(env, "revision"),
        repository=_repository(env, "repositoryUrl"),
        trigger_type="pull_request" if pull_request else _reason(env, user),
        actor=user,
        url=env.get("bamboo_buildResultsUrl") or env.get("bamboo_resultsUrl"),
        pull_request=pull_request,
    )
    project = env.get("bamboo_deploy_project")
    return _deployment(build, project) if project else build


def _deployment(build: Build, project: str) -> Build:
    """The build of a deployment project, which has a name but no key.

    Its build numbers are left out: they belong to the plan that it deploys.
    """
    return replace(
        build,
        pipeline=project,
        pipeline_name=project,
        execution_id=None,
        execution_number=None,
        stage_id=None,
    )


def _reason(env: Mapping[str, str], user: str | None) -> str | None:
    """The trigger type.

    `com.atlassian.bamboo.plugin.system.triggerReason:ManualBuildTriggerReason` → manual.
    """
    _, _, word = env.get("bamboo_triggerReason_key", "").rpartition(":")
    reason = word.removesuffix(_REASON).removesuffix("Build")
    return _TYPES.get(reason, reason) or ("manual" if user else None)


def _repository(env: Mapping[str, str], fact: str) -> str | None:
    """A variable of the plan's first repository."""
    first = env.get(f"bamboo_planRepository_1_{fact}")
    return first or env.get(f"bamboo_planRepository_{fact}")
