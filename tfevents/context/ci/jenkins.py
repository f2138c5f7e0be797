"""Jenkins: its own variables, and those of plugins for branches and pull requests.

https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables
https://plugins.jenkins.io/git/#plugin-content-environment-variables
https://plugins.jenkins.io/branch-api/ (BRANCH_NAME, CHANGE_*, TAG_NAME)
https://plugins.jenkins.io/ghprb/#plugin-content-environment-variables (ghprb*)
https://plugins.jenkins.io/gitlab-plugin/#plugin-content-defined-variables (gitlab*)
https://plugins.jenkins.io/bitbucket-push-and-pull-request/ (BITBUCKET_*)
https://plugins.jenkins.io/build-user-vars-plugin/ (BUILD_USER_ID)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build

_GITLAB_TYPES = {"PUSH": "push", "TAG_PUSH": "tag", "MERGE": "pull_request"}
_REMOTES = ("refs/remotes/origin/", "remotes/origin/", "origin/")
_PULL_REQUESTS = (
    *("CHANGE_ID", "ghprbPullId", "gitlabMergeRequestIid"),
    "BITBUCKET_PULL_REQUEST_ID",
)
_SOURCES = (
    *("CHANGE_BRANCH", "ghprbSourceBranch", "gitlabSourceBranch"),
    "BITBUCKET_SOURCE_BRANCH",
)
# Values of BUILD_USER_ID for builds that no user has started.
_STARTED_BY = {
    "timer": "schedule",
    "scmChange": "push",
    "remoteRequest": "api",
    "branchIndexing": "branchIndexing",
    "genericWebhook": "genericWebhook",
}
_ACTORS = ("ghprbTriggerAuthorLogin", "gitlabUserUsername")
_REPOSITORIES = ("gitlabTargetRepoHttpUrl", "GIT_URL", "GIT_URL_1", "gitlabTargetRepoSshUrl")
_HEADS = ("ghprbActualCommit", "gitlabMergeRequestLastCommit", "GIT_COMMIT")


def claims(env: Mapping[str, str]) -> bool:
    """Whether this is a Jenkins build; JENKINS_URL alone is also a setting of Jenkins' client."""
    if env.get("BUILD_TAG", "").startswith("jenkins-"):
        return True
    return bool(env.get("JENKINS_URL") and (env.get("JOB_NAME") or env.get("BUILD_NUMBER")))


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    return Build(
        vendor="jenkins",
        pipeline=env.get("JOB_NAME"),
        pipeline_name=env.get("JOB_NAME"),
        execution_id=env.get("BUILD_TAG"),
        execution_number=env.get("BUILD_NUMBER"),
        branch=_branch(env),
        tag=_tag(env),
        sha=_first(env, _HEADS),
        repository=_first(env, _REPOSITORIES),
        trigger_type=_trigger_type(env),
        actor=_user(env) or _first(env, _ACTORS),
        url=env.get("BUILD_URL"),
        pull_request=_first(env, _PULL_REQUESTS),
    )


def _first(env: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((env[name] for name in names if env.get(name)), None)


def _branch(env: Mapping[str, str]) -> str | None:
    """The branch; of a pull request, its source branch.

    BRANCH_NAME would then be an arbitrary name such as PR-24. GIT_BRANCH is `detached` if a commit
    was checked out by its hash.
    """
    source = _first(env, _SOURCES)
    if source or _first(env, _PULL_REQUESTS):
        return source
    ref, local = env.get("GIT_BRANCH", ""), env.get("GIT_LOCAL_BRANCH", "")
    if local and ref.endswith(f"/{local}"):
        ref = local  # works for any name of the remote
    return env.get("BRANCH_NAME") or _without_remote("" if ref == "detached" else ref)


def _without_remote(ref: str) -> str:
    for remote in _REMOTES:
        if ref.startswith(remote):
            return ref.removeprefix(remote)
    return ref


def _tag(env: Mapping[str, str]) -> str | None:
    # for a tag that was pushed, the GitLab plugin's "source branch" is the tag's ref
    ref = env.get("gitlabSourceBranch") or env.get("GIT_BRANCH", "")
    name = _without_remote(ref).removeprefix("refs/")
    return env.get("TAG_NAME") or (name[len("tags/") :] if name.startswith("tags/") else None)


def _user(env: Mapping[str, str]) -> str | None:
    user = env.get("BUILD_USER_ID", "")
    return None if user in _STARTED_BY else user


def _trigger_type(env: Mapping[str, str]) -> str | None:
    if _first(env, _PULL_REQUESTS):
        return "pull_request"
    if _tag(env):
        return "tag"
    hook = _GITLAB_TYPES.get(env.get("gitlabActionType", ""))
    started = _STARTED_BY.get(env.get("BUILD_USER_ID", ""), "manual" if _user(env) else None)
    return hook or started
