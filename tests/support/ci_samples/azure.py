"""A job's environment, as documented at the links in tfevents/context/ci/azure.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_SHA = "bc0044458ba1d9298cdc649cb5dcf013180706f7"
_HEAD = "0123456789abcdef0123456789abcdef01234567"
_JOB = {
    "TF_BUILD": "True",
    "SYSTEM_HOSTTYPE": "build",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/fabrikamfiber/",
    "SYSTEM_TEAMPROJECT": "Fabrikam Fiber",
    "SYSTEM_DEFINITIONID": "12",
    "SYSTEM_JOBID": "12f1170f-54f2-53f3-20dd-22fc7dff55f9",
    "BUILD_BUILDID": "1430",
    "BUILD_BUILDNUMBER": "20240807.2",
    "BUILD_DEFINITIONNAME": "network ci",
    "BUILD_REPOSITORY_PROVIDER": "TfsGit",
    "BUILD_REPOSITORY_URI": "https://fabrikamfiber@dev.azure.com/fabrikamfiber/_git/Scripts",
    "BUILD_REQUESTEDFOR": "Mateo Escobedo",
    "BUILD_SOURCEVERSION": _SHA,
    "BUILD_SOURCEVERSIONMESSAGE": "Widen the subnets",
}
_FACTS = {
    "vendor": "azure",
    "pipeline": "12",
    "pipeline_name": "network ci",
    "execution_id": "1430",
    "execution_number": "20240807.2",
    "stage_id": "12f1170f-54f2-53f3-20dd-22fc7dff55f9",
    "repository": "https://dev.azure.com/fabrikamfiber/_git/Scripts",
    "actor": "Mateo Escobedo",
    "url": "https://dev.azure.com/fabrikamfiber/Fabrikam%20Fiber/_build/results?buildId=1430",
}
_COMMIT = {"sha": _SHA, "message": "Widen the subnets"}
_PULL_REQUEST = {
    **_JOB,
    "BUILD_REASON": "PullRequest",
    "BUILD_SOURCEBRANCH": "refs/pull/17/merge",
    "BUILD_SOURCEBRANCHNAME": "merge",
    "BUILD_SOURCEVERSIONMESSAGE": "Merge pull request 17 from wider into main",
    "SYSTEM_PULLREQUEST_ISFORK": "False",
    "SYSTEM_PULLREQUEST_PULLREQUESTID": "17",
    "SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/users/raisa/wider",
    "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main",
}
SAMPLES = [
    Sample(
        "push",
        {
            **_JOB,
            "BUILD_REASON": "IndividualCI",
            "BUILD_SOURCEBRANCH": "refs/heads/feature/tools",
            "BUILD_SOURCEBRANCHNAME": "tools",
        },
        Build(**_FACTS, **_COMMIT, trigger_type="push", branch="feature/tools"),
    ),
    Sample(
        "pull request",
        _PULL_REQUEST,
        Build(
            **_FACTS,
            trigger_type="pull_request",
            branch="users/raisa/wider",
            merge_commit=_SHA,
            pull_request="17",
        ),
    ),
    Sample(
        "fork's pull request on GitHub",
        {
            **_PULL_REQUEST,
            "BUILD_REPOSITORY_PROVIDER": "GitHub",
            "BUILD_REPOSITORY_URI": "https://github.com/fabrikam/scripts",
            "SYSTEM_PULLREQUEST_ISFORK": "True",
            "SYSTEM_PULLREQUEST_PULLREQUESTID": "712345678",
            "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER": "17",
            "SYSTEM_PULLREQUEST_SOURCEBRANCH": "wider",
            "SYSTEM_PULLREQUEST_SOURCECOMMITID": _HEAD,
            "SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI": "https://github.com/someone/scripts",
        },
        Build(
            **{**_FACTS, "repository": "https://github.com/fabrikam/scripts"},
            trigger_type="pull_request",
            branch="wider",
            sha=_HEAD,
            pull_request="17",
        ),
    ),
    Sample(
        "tag",
        {**_JOB, "BUILD_REASON": "BatchedCI", "BUILD_SOURCEBRANCH": "refs/tags/your-tag-name"},
        Build(**_FACTS, **_COMMIT, trigger_type="tag", tag="your-tag-name"),
    ),
    Sample(
        "manual",
        {**_JOB, "BUILD_REASON": "Manual", "BUILD_SOURCEBRANCH": "refs/heads/main"},
        Build(**_FACTS, **_COMMIT, trigger_type="manual", branch="main"),
    ),
    Sample(
        "schedule",
        {**_JOB, "BUILD_REASON": "Schedule", "BUILD_SOURCEBRANCH": "refs/heads/main"},
        Build(**_FACTS, **_COMMIT, trigger_type="schedule", branch="main"),
    ),
    Sample(
        "started by another pipeline",
        {**_JOB, "BUILD_REASON": "ResourceTrigger", "BUILD_SOURCEBRANCH": "refs/heads/main"},
        Build(**_FACTS, **_COMMIT, trigger_type="upstream", branch="main"),
    ),
    Sample(
        "Team Foundation Version Control, whose revisions are numbers",
        {
            **_JOB,
            "BUILD_REASON": "CheckInShelveset",
            "BUILD_REPOSITORY_PROVIDER": "TfsVersionControl",
            "BUILD_SOURCEBRANCH": "$/teamproject/main",
            "BUILD_SOURCEVERSION": "1234567",
        },
        Build(**{**_FACTS, "repository": None}, trigger_type="CheckInShelveset"),
    ),
    Sample(
        "classic release",
        {
            **_JOB,
            "SYSTEM_HOSTTYPE": "release",
            "BUILD_SOURCEBRANCH": "refs/heads/main",
            "BUILD_REASON": "IndividualCI",
            "RELEASE_DEFINITIONID": "1",
            "RELEASE_DEFINITIONNAME": "fabrikam-cd",
            "RELEASE_RELEASEID": "118",
            "RELEASE_RELEASENAME": "Release-47",
            "RELEASE_ENVIRONMENTID": "276",
            "RELEASE_REQUESTEDFOR": "Raisa Pokrovskaya",
            "RELEASE_DEPLOYMENT_REQUESTEDFOR": "Mateo Escobedo",
            "RELEASE_RELEASEWEBURL": "https://fabrikam.visualstudio.com/f3/_release?releaseId=118",
        },
        Build(
            **{
                **_FACTS,
                "pipeline": "1",
                "pipeline_name": "fabrikam-cd",
                "execution_id": "118",
                "execution_number": "Release-47",
                "stage_id": "276",
                "url": "https://fabrikam.visualstudio.com/f3/_release?releaseId=118",
            },
            **_COMMIT,
            branch="main",
        ),
    ),
]
