"""Finds the CI vendor of this job and reads its build.

To add a vendor, write a module of this package as `Vendor` describes it, and add it to VENDORS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import cast

from tfevents.context.ci._sanitize import sanitize_address, sanitize_branch, sanitize_build
from tfevents.context.ci.build import Build, Vendor

__all__ = [
    "VENDORS",
    "Build",
    "Vendor",
    "find_build",
    "is_ci",
    "sanitize_address",
    "sanitize_branch",
    "sanitize_build",
]

VENDORS: dict[str, tuple[str, ...]] = {
    # Hosts that run terraform in a job of another CI, or in an environment that looks like one.
    "atlantis": ("ATLANTIS_TERRAFORM_VERSION", "PULL_NUM"),
    "spacelift": ("TF_VAR_spacelift_run_id",),
    "scalr": ("SCALR_RUN_ID",),
    "env0": ("ENV0_DEPLOYMENT_LOG_ID", "ENV0_ENVIRONMENT_ID"),
    "hcp_terraform": ("TFC_RUN_ID",),
    "terrateam": ("TERRATEAM_ROOT",),
    "digger": ("DIGGER_RUN_SPEC", "DIGGER_OUT"),
    # Harness and Woodpecker also set DRONE_*, Forgejo also GITEA_*, both also GITHUB_*.
    "harness": (
        "HARNESS_EXECUTION_ID",
        "HARNESS_BUILD_ID",
        "HARNESS_PIPELINE_ID",
        "PLUGIN_ENDPOINT_VARIABLES",
    ),
    "woodpecker": ("CI", "CI_SYSTEM_NAME"),
    "drone": ("DRONE",),
    "forgejo": ("FORGEJO_ACTIONS",),
    "gitea": ("GITEA_ACTIONS",),
    # CodeBuild can be the runner of GitHub's, GitLab's and Buildkite's jobs.
    "github": ("GITHUB_ACTIONS",),
    "gitlab": ("GITLAB_CI",),
    "bitbucket": ("BITBUCKET_BUILD_NUMBER",),
    "azure": ("TF_BUILD",),
    "circleci": ("CIRCLECI",),
    "buildkite": ("BUILDKITE",),
    # A TeamCity job that calls Jenkins may set JENKINS_URL, and TeamCity sets BUILD_NUMBER.
    "teamcity": ("TEAMCITY_VERSION",),
    "jenkins": ("BUILD_TAG", "JENKINS_URL"),
    "travis": ("TRAVIS",),
    "appveyor": ("APPVEYOR",),
    "buddy": ("BUDDY",),
    "bitrise": ("BITRISE_IO",),
    "codefresh": ("CF_BUILD_ID",),
    "semaphore": ("SEMAPHORE",),
    "cirrus": ("CIRRUS_CI",),
    "bamboo": ("bamboo_buildKey", "bamboo_planKey", "bamboo_deploy_project"),
    "codebuild": ("CODEBUILD_BUILD_ID", "CODEBUILD_BUILD_ARN"),
    # Last, because other vendors set these variables, too; nearly all set `CI`.
    "cloudbuild": ("BUILD_ID",),
    "generic": ("CI",),
}
"""A vendor's module → environment variables of its jobs; without any of them, the module is not
imported. The first vendor that claims the environment is the job's.
"""


def find_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build | None:
    """The sanitized build of this job, from its vendor; None outside of CI.

    `read_file`: path → the file's bytes, None if it can't be read.
    """
    for vendor in _import_candidates(env):
        if vendor.claims(env):
            return sanitize_build(vendor.read_build(env, read_file))
    return None


def is_ci(env: Mapping[str, str]) -> bool:
    """Whether this is a job of any CI vendor."""
    return any(vendor.claims(env) for vendor in _import_candidates(env))


def _import_candidates(env: Mapping[str, str]) -> Iterator[Vendor]:
    for name, variables in VENDORS.items():
        if any(variable in env for variable in variables):
            yield cast("Vendor", import_module(f"{__name__}.{name}"))
