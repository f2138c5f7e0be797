"""A job's environment, as documented at the links in tfevents/context/ci/gitlab.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_SHA = "1ecfd275763eff1d6b4844ea3168962458c9f27a"
_HEAD = "0123456789abcdef0123456789abcdef01234567"
JOB = {
    "CI": "true",
    "GITLAB_CI": "true",
    "CI_SERVER": "yes",
    "CI_COMMIT_SHA": _SHA,
    "CI_COMMIT_MESSAGE": "Widen the subnets\n\nAll of them.\n",
    "CI_JOB_ID": "50",
    "CI_JOB_URL": "https://gitlab.example.com/group/project/-/jobs/50",
    "CI_PIPELINE_ID": "1000",
    "CI_PIPELINE_IID": "10",
    "CI_PIPELINE_URL": "https://gitlab.example.com/group/project/-/pipelines/1000",
    "CI_PROJECT_PATH": "group/project",
    "CI_PROJECT_URL": "https://gitlab.example.com/group/project",
    "CI_REPOSITORY_URL": "https://gitlab-ci-token:glcbt-64@gitlab.example.com/group/project.git",
    "GITLAB_USER_LOGIN": "sidney",
    "GITLAB_USER_NAME": "Sidney Jones",
}
FACTS = {
    "vendor": "gitlab",
    "pipeline": "group/project",
    "pipeline_name": "group/project",
    "execution_id": "1000",
    "execution_number": "10",
    "stage_id": "50",
    "repository": "https://gitlab.example.com/group/project",
    "actor": "sidney",
    "url": "https://gitlab.example.com/group/project/-/pipelines/1000",
}
_MESSAGE = "Widen the subnets\n\nAll of them."
_MERGE_REQUEST = {
    **JOB,
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_COMMIT_REF_NAME": "wider",
    "CI_MERGE_REQUEST_IID": "3",
    "CI_MERGE_REQUEST_ID": "333",
    "CI_MERGE_REQUEST_EVENT_TYPE": "detached",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "wider",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    "CI_MERGE_REQUEST_PROJECT_URL": "https://gitlab.example.com/group/project",
}
SAMPLES = [
    Sample(
        "push",
        {**JOB, "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main"},
        Build(**FACTS, trigger_type="push", branch="main", sha=_SHA, message=_MESSAGE),
    ),
    Sample(
        "named pipeline",
        {
            **JOB,
            "CI_PIPELINE_NAME": "Network plan",
            "CI_PIPELINE_SOURCE": "web",
            "CI_COMMIT_BRANCH": "main",
        },
        Build(
            **{**FACTS, "pipeline_name": "Network plan"},
            trigger_type="manual",
            branch="main",
            sha=_SHA,
            message=_MESSAGE,
        ),
    ),
    Sample(
        "merge request",
        _MERGE_REQUEST,
        Build(
            **FACTS,
            trigger_type="pull_request",
            branch="wider",
            sha=_SHA,
            message=_MESSAGE,
            pull_request="3",
        ),
    ),
    Sample(
        "fork's merge request, built in the fork",
        {
            **_MERGE_REQUEST,
            "CI_PROJECT_PATH": "someone/project",
            "CI_PROJECT_URL": "https://gitlab.example.com/someone/project",
        },
        Build(
            **{**FACTS, "pipeline": "someone/project", "pipeline_name": "someone/project"},
            trigger_type="pull_request",
            branch="wider",
            sha=_SHA,
            message=_MESSAGE,
            pull_request="3",
        ),
    ),
    Sample(
        "merged result",
        {
            **_MERGE_REQUEST,
            "CI_MERGE_REQUEST_EVENT_TYPE": "merged_result",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": _HEAD,
        },
        Build(**FACTS, trigger_type="pull_request", branch="wider", sha=_HEAD, pull_request="3"),
    ),
    Sample(
        "merge train without its head",
        {**_MERGE_REQUEST, "CI_MERGE_REQUEST_EVENT_TYPE": "merge_train"},
        Build(
            **FACTS,
            trigger_type="pull_request",
            branch="wider",
            merge_commit=_SHA,
            pull_request="3",
        ),
    ),
    Sample(
        "external pull request",
        {
            **JOB,
            "CI_PIPELINE_SOURCE": "external_pull_request_event",
            "CI_EXTERNAL_PULL_REQUEST_IID": "7",
            "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME": "wider",
            "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA": _SHA,
        },
        Build(
            **FACTS,
            trigger_type="pull_request",
            branch="wider",
            sha=_SHA,
            message=_MESSAGE,
            pull_request="7",
        ),
    ),
    Sample(
        "tag",
        {**JOB, "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_TAG": "v1", "CI_COMMIT_REF_NAME": "v1"},
        Build(**FACTS, trigger_type="tag", tag="v1", sha=_SHA, message=_MESSAGE),
    ),
    Sample(
        "tag, built by hand",
        {
            **JOB,
            "CI_PIPELINE_SOURCE": "web",
            "CI_COMMIT_TAG": "v1",
            "CI_COMMIT_REF_NAME": "v1",
            "CI_COMMIT_BRANCH": "",
        },
        Build(**FACTS, trigger_type="manual", tag="v1", sha=_SHA, message=_MESSAGE),
    ),
    Sample(
        "by hand",
        {**JOB, "CI_PIPELINE_SOURCE": "web", "CI_COMMIT_BRANCH": "main"},
        Build(**FACTS, trigger_type="manual", branch="main", sha=_SHA, message=_MESSAGE),
    ),
    Sample(
        "by a trigger token",
        {
            **JOB,
            "CI_PIPELINE_SOURCE": "trigger",
            "CI_PIPELINE_TRIGGERED": "true",
            "CI_COMMIT_BRANCH": "main",
            "TRIGGER_PAYLOAD": "/builds/group/project.tmp/TRIGGER_PAYLOAD",
        },
        Build(**FACTS, trigger_type="api", branch="main", sha=_SHA, message=_MESSAGE),
    ),
    Sample(
        "by the API",
        {**JOB, "CI_PIPELINE_SOURCE": "api", "CI_COMMIT_BRANCH": "main"},
        Build(**FACTS, trigger_type="api", branch="main", sha=_SHA, message=_MESSAGE),
    ),
    Sample(
        "by a chat, in GitLab's own word",
        {**JOB, "CI_PIPELINE_SOURCE": "chat", "CI_COMMIT_BRANCH": "main"},
        Build(**FACTS, trigger_type="chat", branch="main", sha=_SHA, message=_MESSAGE),
    ),
    Sample(
        "by another project's pipeline",
        {**JOB, "CI_PIPELINE_SOURCE": "pipeline", "CI_COMMIT_BRANCH": "main"},
        Build(**FACTS, trigger_type="upstream", branch="main", sha=_SHA, message=_MESSAGE),
    ),
    Sample(
        "a job that starts a Harness pipeline",
        {
            **JOB,
            "CI_PIPELINE_SOURCE": "push",
            "CI_COMMIT_BRANCH": "main",
            "HARNESS_ACCOUNT_ID": "vpCkHKsDSxK9_KYfjCTMKA",
            "HARNESS_API_KEY": "pat.a.b.c",
            "HARNESS_ORG_ID": "default",
            "HARNESS_PROJECT_ID": "infra",
            "HARNESS_PIPELINE_ID": "Deploy_Network",
        },
        Build(**FACTS, trigger_type="push", branch="main", sha=_SHA, message=_MESSAGE),
    ),
    Sample(
        "before CI_COMMIT_BRANCH",
        {**JOB, "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_REF_NAME": "feature/wider"},
        Build(**FACTS, trigger_type="push", branch="feature/wider", sha=_SHA, message=_MESSAGE),
    ),
    Sample(
        "merge train",
        {
            **_MERGE_REQUEST,
            "CI_MERGE_REQUEST_EVENT_TYPE": "merge_train",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": _HEAD,
            "CI_COMMIT_REF_NAME": "refs/merge-requests/3/train",
            "CI_COMMIT_MESSAGE": "Merge branch 'wider' into 'main'",
        },
        Build(**FACTS, trigger_type="pull_request", branch="wider", sha=_HEAD, pull_request="3"),
    ),
    Sample(
        "child pipeline of a merge request",
        {**_MERGE_REQUEST, "CI_PIPELINE_SOURCE": "parent_pipeline"},
        Build(
            **FACTS,
            trigger_type="upstream",
            branch="wider",
            sha=_SHA,
            message=_MESSAGE,
            pull_request="3",
        ),
    ),
    Sample(
        "schedule",
        {**JOB, "CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BRANCH": "main"},
        Build(**FACTS, trigger_type="schedule", branch="main", sha=_SHA, message=_MESSAGE),
    ),
    Sample(
        "child pipeline",
        {**JOB, "CI_PIPELINE_SOURCE": "parent_pipeline", "CI_COMMIT_BRANCH": "main"},
        Build(**FACTS, trigger_type="upstream", branch="main", sha=_SHA, message=_MESSAGE),
    ),
]
