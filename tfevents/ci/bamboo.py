"""Bamboo: its variables `bamboo.x.y`, which a shell sees as `bamboo_x_y`.

https://confluence.atlassian.com/bamboo/bamboo-variables-289277087.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.ci.build import Build


def claims(env: Mapping[str, str]) -> bool:
    return bool(env.get("bamboo_buildKey") or env.get("bamboo_planKey"))


def read(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    plan, number = env.get("bamboo_planKey"), env.get("bamboo_buildNumber")
    pull_request = env.get("bamboo_repository_pr_key")
    user = env.get("bamboo_ManualBuildTriggerReason_userName")
    source = env.get("bamboo_repository_pr_sourceBranch")
    return Build(
        vendor="bamboo",
        pipeline=plan,
        pipeline_name=env.get("bamboo_planName"),
        # bamboo_buildResultKey is the job's: PROJECT-PLAN-JOB-8
        execution_id=f"{plan}-{number}" if plan and number else None,
        execution_number=number,
        stage_id=env.get("bamboo_buildResultKey"),
        branch=source or _repository(env, "branch") or _repository(env, "branchName"),
        sha=_repository(env, "revision"),
        repository=_repository(env, "repositoryUrl"),
        trigger_type="pull_request" if pull_request else "manual" if user else None,
        actor=user,
        url=env.get("bamboo_buildResultsUrl") or env.get("bamboo_resultsUrl"),
        pull_request=pull_request,
    )


def _repository(env: Mapping[str, str], fact: str) -> str | None:
    """A fact about the plan's first repository."""
    first = env.get(f"bamboo_planRepository_1_{fact}")
    return first or env.get(f"bamboo_planRepository_{fact}")
