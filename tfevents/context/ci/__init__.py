"""The CI vendors in the order in which they are asked, and what the one of this job says.

To add one: a module of this package named in VENDORS, as `Vendor` describes it.
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
    # Hosts that run terraform inside somebody's CI, or in an environment that looks like one.
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
    # Jenkins' address and a BUILD_NUMBER may also be a job's of TeamCity that calls it.
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
    # Plain names that others use too, and at last `CI`, which nearly all set.
    "cloudbuild": ("BUILD_ID",),
    "generic": ("CI",),
}
"""A vendor's module → variables without any of which it claims nothing: it is not imported then.

The first that claims the environment answers.
"""


def find_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build | None:
    """What the vendor of this job says of it, sanitized; None outside of CI.

    `read_file`: the bytes of the file at a path, None where it can't be read.
    """
    for vendor in _import_candidates(env):
        if vendor.claims(env):
            return sanitize_build(vendor.read_build(env, read_file))
    return None


def is_ci(env: Mapping[str, str]) -> bool:
    """Whether any vendor says that this is a job of its own."""
    return any(vendor.claims(env) for vendor in _import_candidates(env))


def _import_candidates(env: Mapping[str, str]) -> Iterator[Vendor]:
    for name, variables in VENDORS.items():
        if any(variable in env for variable in variables):
            yield cast("Vendor", import_module(f"{__name__}.{name}"))
