"""Where a run came from: the literal, ordered list of CI vendors, and the one door to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import ModuleType

from tfevents.context.ci.build import Build
from tfevents.context.ci.cleaning import address_of, branch_of, clean

__all__ = ["VENDORS", "Build", "address_of", "branch_of", "clean", "find", "is_ci"]

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
"""In order: the first that claims the environment answers. Each is a module of this package with
`claims(env)` and `read(env, read_file)`, not loaded where all of the variables named here are
missing: without them it never claims.
"""


def find(env: Mapping[str, str], read: Callable[[str], bytes | None]) -> Build | None:
    """What the vendor of this job says, cleaned; None outside of CI.

    `read`: the bytes of a file of the world, None when it can't be read.
    """
    for vendor in _candidates(env):
        if vendor.claims(env):
            said: Build = vendor.read(env, read)
            return clean(said)
    return None


def is_ci(env: Mapping[str, str]) -> bool:
    """Whether any vendor says that this is a job of its own."""
    return any(vendor.claims(env) for vendor in _candidates(env))


def _candidates(env: Mapping[str, str]) -> Iterator[ModuleType]:
    from importlib import import_module

    for name, markers in VENDORS.items():
        if any(marker in env for marker in markers):
            yield import_module(f"tfevents.context.ci.{name}")
