"""A job's environment, as documented at the links in tfevents/context/ci/semaphore.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_SHA = "5c84719708b9b649b9ef3b56af214f38cee6acde"
_HEAD = "0123456789abcdef0123456789abcdef01234567"
_JOB = {
    "CI": "true",
    "SEMAPHORE": "true",
    "SEMAPHORE_GIT_BRANCH": "main",
    "SEMAPHORE_GIT_REF": "refs/heads/main",
    "SEMAPHORE_GIT_REF_TYPE": "branch",
    "SEMAPHORE_GIT_SHA": _SHA,
    "SEMAPHORE_GIT_URL": "http://git@github.com:semaphoreci/toolbox.git",
    "SEMAPHORE_GIT_WORKING_BRANCH": "main",
    "SEMAPHORE_JOB_ID": "a26d42cf-89ac-4c3f-9e2d-51bb231897bf",
    "SEMAPHORE_PIPELINE_ID": "ea3e6bba-d19a-45d7-86a0-e78a2301b616",
    "SEMAPHORE_PROJECT_ID": "0dd982e8-32f5-4037-983e-4de01ac7fb1e",
    "SEMAPHORE_PROJECT_NAME": "my-awesome-project",
    "SEMAPHORE_WORKFLOW_ID": "65c398bb-57ab-4459-90b5-1481797e82fc",
    "SEMAPHORE_WORKFLOW_NUMBER": "42",
    "SEMAPHORE_WORKFLOW_TRIGGERED_BY": "torvalds",
    "SEMAPHORE_WORKFLOW_TRIGGERED_BY_API": "false",
    "SEMAPHORE_WORKFLOW_TRIGGERED_BY_HOOK": "true",
    "SEMAPHORE_WORKFLOW_TRIGGERED_BY_MANUAL_RUN": "false",
    "SEMAPHORE_WORKFLOW_TRIGGERED_BY_SCHEDULE": "false",
}
_FACTS = {
    "vendor": "semaphore",
    "pipeline": "0dd982e8-32f5-4037-983e-4de01ac7fb1e",
    "pipeline_name": "my-awesome-project",
    "execution_id": "65c398bb-57ab-4459-90b5-1481797e82fc",
    "stage_id": "a26d42cf-89ac-4c3f-9e2d-51bb231897bf",
    "repository": "http://github.com:semaphoreci/toolbox.git",
    "actor": "torvalds",
}
SAMPLES = [
    Sample("push", _JOB, Build(**_FACTS, trigger_type="push", branch="main", sha=_SHA)),
    Sample(
        "promotion of a pushed commit",
        {
            **_JOB,
            "SEMAPHORE_ORGANIZATION_URL": "https://my-org.semaphoreci.com",
            "SEMAPHORE_PIPELINE_PROMOTION": "true",
            "SEMAPHORE_PIPELINE_PROMOTED_BY": "auto-promotion",
        },
        Build(
            **_FACTS,
            trigger_type="push",
            branch="main",
            sha=_SHA,
            url="https://my-org.semaphoreci.com/workflows/65c398bb-57ab-4459-90b5-1481797e82fc",
        ),
    ),
    Sample(
        "fork's pull request",
        {
            **_JOB,
            "SEMAPHORE_GIT_REF": "refs/semaphoreci/5c84719708b9b649b9ef3b56af214f38cee6acde",
            "SEMAPHORE_GIT_REF_TYPE": "pull-request",
            "SEMAPHORE_GIT_PR_BRANCH": "featureA",
            "SEMAPHORE_GIT_PR_NUMBER": "1",
            "SEMAPHORE_GIT_PR_SHA": _HEAD,
            "SEMAPHORE_GIT_PR_SLUG": "someone/toolbox",
            "SEMAPHORE_GIT_WORKING_BRANCH": "featureA",
        },
        Build(
            **_FACTS, trigger_type="pull_request", branch="featureA", sha=_HEAD, pull_request="1"
        ),
    ),
    Sample(
        "pull request whose kind of ref is not told",
        {
            **{name: value for name, value in _JOB.items() if "WORKING_BRANCH" not in name},
            "SEMAPHORE_GIT_REF_TYPE": "",
            "SEMAPHORE_GIT_PR_BRANCH": "featureA",
            "SEMAPHORE_GIT_PR_NUMBER": "1",
        },
        Build(
            **_FACTS,
            trigger_type="pull_request",
            branch="featureA",
            merge_commit=_SHA,
            pull_request="1",
        ),
    ),
    Sample(
        "tag",
        {
            **{name: value for name, value in _JOB.items() if "WORKING_BRANCH" not in name},
            "SEMAPHORE_GIT_REF_TYPE": "tag",
            "SEMAPHORE_GIT_TAG_NAME": "v1.0.0",
            "SEMAPHORE_GIT_URL": "git@github.com:semaphoreci/toolbox.git",
        },
        Build(
            **{**_FACTS, "repository": "git@github.com:semaphoreci/toolbox.git"},
            trigger_type="tag",
            tag="v1.0.0",
            sha=_SHA,
        ),
    ),
    Sample(
        "task",
        {**_JOB, "SEMAPHORE_WORKFLOW_TRIGGERED_BY_SCHEDULE": "true"},
        Build(**_FACTS, trigger_type="schedule", branch="main", sha=_SHA),
    ),
    Sample(
        "manual",
        {**_JOB, "SEMAPHORE_WORKFLOW_TRIGGERED_BY_MANUAL_RUN": "true"},
        Build(**_FACTS, trigger_type="manual", branch="main", sha=_SHA),
    ),
]
