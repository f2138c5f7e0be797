"""Azure Pipelines and classic releases; in a release, BUILD_* describe the artifact's build.

https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables
https://learn.microsoft.com/en-us/azure/devops/pipelines/release/variables
System.PullRequest.SourceCommitId is set, but not documented there:
https://github.com/MicrosoftDocs/azure-devops-docs/issues/4588
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from msgspec.structs import replace

from tfevents.context.ci.build import Build

_TYPES = {
    "Manual": "manual",
    "IndividualCI": "push",
    "BatchedCI": "push",
    "Schedule": "schedule",
    "PullRequest": "pull_request",
    "ResourceTrigger": "upstream",
    "BuildCompletion": "upstream",
}
_MESSAGE = "BUILD_SOURCEVERSIONMESSAGE"
_NOT_GIT = ("TfsVersionControl", "Svn")


def claims(env: Mapping[str, str]) -> bool:
    return env.get("TF_BUILD", "").lower() == "true"


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    ref = env.get("BUILD_SOURCEBRANCH", "")
    head, ran = env.get("SYSTEM_PULLREQUEST_SOURCECOMMITID"), env.get("BUILD_SOURCEVERSION")
    merged = not head and ref.startswith("refs/pull/") and ref.endswith("/merge")
    build = Build(
        vendor="azure",
        pipeline=env.get("SYSTEM_DEFINITIONID"),
        pipeline_name=env.get("BUILD_DEFINITIONNAME"),
        execution_id=env.get("BUILD_BUILDID"),
        execution_number=env.get("BUILD_BUILDNUMBER"),
        stage_id=env.get("SYSTEM_JOBID"),
        branch=env.get("SYSTEM_PULLREQUEST_SOURCEBRANCH") or ref,
        tag=ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else None,
        sha=None if merged else head or ran,
        merge_commit=ran if merged else None,
        message=None if merged or head not in (None, "", ran) else env.get(_MESSAGE),
        repository=env.get("BUILD_REPOSITORY_URI"),
        trigger_type=_trigger_type(env),
        actor=env.get("BUILD_REQUESTEDFOR"),
        url=_make_build_url(env),
        pull_request=_pull_request(env),
    )
    if env.get("BUILD_REPOSITORY_PROVIDER") in _NOT_GIT:
        build = replace(build, branch=None, sha=None, message=None, repository=None)
    return _release(env, build) if env.get("RELEASE_RELEASEID") else build


def _release(env: Mapping[str, str], artifact: Build) -> Build:
    """The build of a release: git and the pull request are those of its artifact's build."""
    return replace(
        artifact,
        pipeline=env.get("RELEASE_DEFINITIONID"),
        pipeline_name=env.get("RELEASE_DEFINITIONNAME"),
        execution_id=env.get("RELEASE_RELEASEID"),
        execution_number=env.get("RELEASE_RELEASENAME"),
        stage_id=env.get("RELEASE_ENVIRONMENTID"),
        trigger_type=None,
        actor=env.get("RELEASE_DEPLOYMENT_REQUESTEDFOR") or env.get("RELEASE_REQUESTEDFOR"),
        url=env.get("RELEASE_RELEASEWEBURL"),
    )


def _trigger_type(env: Mapping[str, str]) -> str:
    reason = env.get("BUILD_REASON", "")
    kind = _TYPES.get(reason, reason)
    tagged = env.get("BUILD_SOURCEBRANCH", "").startswith("refs/tags/")
    return "tag" if kind == "push" and tagged else kind


def _make_build_url(env: Mapping[str, str]) -> str | None:
    collection = env.get("SYSTEM_COLLECTIONURI") or env.get("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI")
    project, build = env.get("SYSTEM_TEAMPROJECT"), env.get("BUILD_BUILDID")
    if not (collection and project and build):
        return None
    place = quote(project, errors="ignore")
    return f"{collection.rstrip('/')}/{place}/_build/results?buildId={build}"


def _pull_request(env: Mapping[str, str]) -> str | None:
    """The number of a pull request; GitHub's have one beside their id, Azure's own only the id."""
    number = env.get("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER")
    _, _, rest = env.get("BUILD_SOURCEBRANCH", "").partition("refs/pull/")
    return number or env.get("SYSTEM_PULLREQUEST_PULLREQUESTID") or rest.partition("/")[0]
