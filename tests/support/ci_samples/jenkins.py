"""A job's environment, as documented at the links in tfevents/context/ci/jenkins.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_SHA = "ce9a3c1404e8c91be604088670e93434c4253f03"
_HEAD = "0123456789abcdef0123456789abcdef01234567"
JOB = {
    "JENKINS_URL": "https://jenkins.example.com/",
    "JOB_NAME": "infra/network",
    "JOB_BASE_NAME": "network",
    "BUILD_ID": "153",
    "BUILD_NUMBER": "153",
    "BUILD_TAG": "jenkins-infra-network-153",
    "BUILD_URL": "https://jenkins.example.com/job/infra/job/network/153/",
    "GIT_COMMIT": _SHA,
    "GIT_URL": "https://github.com/acme/infra.git",
}
_FACTS = {
    "vendor": "jenkins",
    "pipeline": "infra/network",
    "pipeline_name": "infra/network",
    "execution_id": "jenkins-infra-network-153",
    "execution_number": "153",
    "repository": "https://github.com/acme/infra.git",
    "url": "https://jenkins.example.com/job/infra/job/network/153/",
}
SAMPLES = [
    Sample(
        "git plugin",
        {**JOB, "GIT_BRANCH": "origin/feature/wider", "BUILD_USER_ID": "sidney"},
        Build(**_FACTS, trigger_type="manual", branch="feature/wider", sha=_SHA, actor="sidney"),
    ),
    Sample(
        "by a timer, which is no user",
        {**JOB, "GIT_BRANCH": "origin/main", "BUILD_USER_ID": "timer", "BUILD_USER": "Timer"},
        Build(**_FACTS, trigger_type="schedule", branch="main", sha=_SHA),
    ),
    Sample(
        "by a change that polling found",
        {**JOB, "GIT_BRANCH": "origin/main", "BUILD_USER_ID": "scmChange"},
        Build(**_FACTS, trigger_type="push", branch="main", sha=_SHA),
    ),
    Sample(
        "by another program",
        {**JOB, "GIT_BRANCH": "origin/main", "BUILD_USER_ID": "remoteRequest"},
        Build(**_FACTS, trigger_type="api", branch="main", sha=_SHA),
    ),
    Sample(
        "a remote with another name",
        {**JOB, "GIT_BRANCH": "upstream/feature/wider", "GIT_LOCAL_BRANCH": "feature/wider"},
        Build(**_FACTS, branch="feature/wider", sha=_SHA),
    ),
    Sample(
        "checked out to a local branch that has nothing to do with it",
        {**JOB, "GIT_BRANCH": "origin/feature/wider", "GIT_LOCAL_BRANCH": "build"},
        Build(**_FACTS, branch="feature/wider", sha=_SHA),
    ),
    Sample(
        "a commit chosen by its hash",
        {**JOB, "GIT_BRANCH": "detached"},
        Build(**_FACTS, sha=_SHA),
    ),
    Sample(
        "a user and password in the address of the repository",
        {**JOB, "GIT_BRANCH": "origin/main", "GIT_URL": "https://u:p@github.com/acme/infra.git"},
        Build(**_FACTS, branch="main", sha=_SHA),
    ),
    Sample(
        "detached",
        {**JOB, "GIT_BRANCH": "HEAD", "GIT_URL": "", "GIT_URL_1": "git@host.example:a/b.git"},
        Build(**{**_FACTS, "repository": "git@host.example:a/b.git"}, sha=_SHA),
    ),
    Sample(
        "multibranch",
        {**JOB, "BRANCH_NAME": "main", "BRANCH_IS_PRIMARY": "true"},
        Build(**_FACTS, branch="main", sha=_SHA),
    ),
    Sample(
        "multibranch, fork's pull request",
        {
            **JOB,
            "BRANCH_NAME": "PR-24",
            "CHANGE_ID": "24",
            "CHANGE_BRANCH": "wider",
            "CHANGE_TARGET": "main",
            "CHANGE_FORK": "someone/infra",
            "CHANGE_AUTHOR": "someone",
            "GIT_BRANCH": "PR-24",
        },
        Build(**_FACTS, trigger_type="pull_request", branch="wider", sha=_SHA, pull_request="24"),
    ),
    Sample(
        "multibranch, a change without a branch (Gerrit)",
        {**JOB, "BRANCH_NAME": "24/1024/3", "CHANGE_ID": "1024"},
        Build(**_FACTS, trigger_type="pull_request", sha=_SHA, pull_request="1024"),
    ),
    Sample(
        "multibranch, tag",
        {**JOB, "BRANCH_NAME": "v1", "TAG_NAME": "v1"},
        Build(**_FACTS, trigger_type="tag", tag="v1", sha=_SHA),
    ),
    Sample(
        "GitHub pull request builder",
        {
            **JOB,
            "sha1": "origin/pr/24/merge",
            "ghprbActualCommit": _HEAD,
            "ghprbPullId": "24",
            "ghprbSourceBranch": "wider",
            "ghprbTargetBranch": "main",
            "ghprbTriggerAuthorLogin": "octocat",
            "GIT_BRANCH": "wider",
        },
        Build(
            **_FACTS,
            trigger_type="pull_request",
            branch="wider",
            sha=_HEAD,
            actor="octocat",
            pull_request="24",
        ),
    ),
    Sample(
        "Bitbucket's plugin, pull request",
        {
            **JOB,
            "BITBUCKET_SOURCE_BRANCH": "wider",
            "BITBUCKET_TARGET_BRANCH": "main",
            "BITBUCKET_PULL_REQUEST_ID": "5",
            "BITBUCKET_PULL_REQUEST_LINK": "https://bitbucket.org/acme/infra/pull-requests/5",
            "GIT_BRANCH": "origin/main",
        },
        Build(**_FACTS, trigger_type="pull_request", branch="wider", sha=_SHA, pull_request="5"),
    ),
    Sample(
        "GitLab plugin, merge request",
        {
            **JOB,
            "GIT_URL": "git@gitlab.example.com:acme/infra.git",
            "gitlabActionType": "MERGE",
            "gitlabSourceBranch": "wider",
            "gitlabTargetBranch": "main",
            "gitlabMergeRequestIid": "3",
            "gitlabMergeRequestId": "333",
            "gitlabMergeRequestLastCommit": _HEAD,
            "gitlabTargetRepoHttpUrl": "https://gitlab.example.com/acme/infra.git",
            "gitlabTargetRepoSshUrl": "git@gitlab.example.com:acme/infra.git",
            "gitlabUserUsername": "sidney",
        },
        Build(
            **{**_FACTS, "repository": "https://gitlab.example.com/acme/infra.git"},
            trigger_type="pull_request",
            branch="wider",
            sha=_HEAD,
            actor="sidney",
            pull_request="3",
        ),
    ),
    Sample(
        "GitLab plugin, push",
        {
            **JOB,
            "gitlabActionType": "PUSH",
            "gitlabSourceBranch": "main",
            "gitlabMergeRequestIid": "",
            "gitlabUserUsername": "",
            "GIT_BRANCH": "origin/main",
        },
        Build(**_FACTS, trigger_type="push", branch="main", sha=_SHA),
    ),
    Sample(
        "GitLab plugin, tag",
        {
            **JOB,
            "gitlabActionType": "TAG_PUSH",
            "gitlabSourceBranch": "refs/tags/v1",
            "GIT_BRANCH": "refs/tags/v1",
        },
        Build(**_FACTS, trigger_type="tag", tag="v1", sha=_SHA),
    ),
    Sample(
        "GitLab plugin, tag that is checked out by its commit",
        {
            **JOB,
            "gitlabActionType": "TAG_PUSH",
            "gitlabSourceBranch": "refs/tags/v1",
            "GIT_BRANCH": "detached",
        },
        Build(**_FACTS, trigger_type="tag", tag="v1", sha=_SHA),
    ),
]
