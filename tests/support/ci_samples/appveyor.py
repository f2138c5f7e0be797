"""A job's environment, as documented at the links in tfevents/context/ci/appveyor.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_SHA = "6e5f3f0c1a8b4f7d9c2e1b0a7d6c5e4f3a2b1c0d"
_HEAD = "0123456789abcdef0123456789abcdef01234567"
_JOB = {
    "APPVEYOR": "True",
    "CI": "True",
    "APPVEYOR_URL": "https://ci.appveyor.com",
    "APPVEYOR_ACCOUNT_NAME": "Acme",
    "APPVEYOR_PROJECT_SLUG": "infra-abc12",
    "APPVEYOR_PROJECT_NAME": "infra",
    "APPVEYOR_BUILD_ID": "49012345",
    "APPVEYOR_BUILD_NUMBER": "12",
    "APPVEYOR_BUILD_VERSION": "1.0.12",
    "APPVEYOR_JOB_ID": "pgq4rxo8v3u1c6km",
    "APPVEYOR_REPO_PROVIDER": "gitHub",
    "APPVEYOR_REPO_NAME": "acme/infra",
    "APPVEYOR_REPO_BRANCH": "main",
    "APPVEYOR_REPO_COMMIT": _SHA,
    "APPVEYOR_REPO_COMMIT_MESSAGE": "Widen the subnets",
    "APPVEYOR_REPO_COMMIT_MESSAGE_EXTENDED": "All of them.",
    "APPVEYOR_REPO_TAG": "false",
}
_FACTS = {
    "vendor": "appveyor",
    "pipeline": "acme/infra",
    "pipeline_name": "acme/infra",
    "execution_id": "49012345",
    "execution_number": "12",
    "stage_id": "pgq4rxo8v3u1c6km",
    "message": "Widen the subnets\nAll of them.",
    "repository": "https://github.com/acme/infra",
    "url": "https://ci.appveyor.com/project/Acme/infra-abc12/builds/49012345",
}
SAMPLES = [
    Sample("push", _JOB, Build(**_FACTS, trigger_type="push", branch="main", sha=_SHA)),
    Sample(
        "Ubuntu, an enterprise's GitHub, one line",
        {
            **_JOB,
            "APPVEYOR": "true",
            "APPVEYOR_REPO_PROVIDER": "gitHubEnterprise",
            "APPVEYOR_REPO_COMMIT_MESSAGE_EXTENDED": "",
        },
        Build(
            **{**_FACTS, "repository": None, "message": "Widen the subnets"},
            trigger_type="push",
            branch="main",
            sha=_SHA,
        ),
    ),
    Sample(
        "fork's pull request",
        {
            **_JOB,
            "APPVEYOR_PULL_REQUEST_NUMBER": "17",
            "APPVEYOR_PULL_REQUEST_HEAD_COMMIT": _HEAD,
            "APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH": "wider",
            "APPVEYOR_PULL_REQUEST_HEAD_REPO_NAME": "someone/infra",
        },
        Build(**_FACTS, trigger_type="pull_request", branch="wider", sha=_HEAD, pull_request="17"),
    ),
    Sample(
        "pull request whose number is not told",
        {
            **_JOB,
            "APPVEYOR_PULL_REQUEST_HEAD_COMMIT": _HEAD,
            "APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH": "wider",
        },
        Build(**_FACTS, trigger_type="pull_request", branch="wider", sha=_HEAD),
    ),
    Sample(
        "pull request of which only the head's branch is told",
        {**_JOB, "APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH": "wider"},
        Build(**_FACTS, trigger_type="pull_request", branch="wider", merge_commit=_SHA),
    ),
    Sample(
        "tag",
        {**_JOB, "APPVEYOR_REPO_TAG": "true", "APPVEYOR_REPO_TAG_NAME": "v1"},
        Build(**_FACTS, trigger_type="tag", tag="v1", sha=_SHA),
    ),
    Sample(
        "schedule",
        {**_JOB, "APPVEYOR_SCHEDULED_BUILD": "True"},
        Build(**_FACTS, trigger_type="schedule", branch="main", sha=_SHA),
    ),
    Sample(
        "new build by hand",
        {**_JOB, "APPVEYOR_FORCED_BUILD": "True"},
        Build(**_FACTS, trigger_type="manual", branch="main", sha=_SHA),
    ),
]
