"""A job's environment, as documented at the links in tfevents/context/ci/buildkite.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_JOB = {
    "CI": "true",
    "BUILDKITE": "true",
    "BUILDKITE_BRANCH": "main",
    "BUILDKITE_BUILD_CREATOR": "Carol Danvers",
    "BUILDKITE_BUILD_ID": "4735ba57-80d0-46e2-8fa0-b28223a86586",
    "BUILDKITE_BUILD_NUMBER": "1514",
    "BUILDKITE_BUILD_URL": "https://buildkite.com/acme-inc/my-project/builds/1514",
    "BUILDKITE_COMMIT": "83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d",
    "BUILDKITE_JOB_ID": "e44f9784-e20e-4b93-a21d-f41fd5869db9",
    "BUILDKITE_MESSAGE": "Added a great new feature",
    "BUILDKITE_PIPELINE_ID": "d18439cc-df59-45b0-97cc-98d7fb69d983",
    "BUILDKITE_PIPELINE_NAME": "My Project",
    "BUILDKITE_PIPELINE_SLUG": "my-project",
    "BUILDKITE_PULL_REQUEST": "false",
    "BUILDKITE_REPO": "git@github.com:acme-inc/my-project.git",
    "BUILDKITE_SOURCE": "webhook",
    "BUILDKITE_TAG": "",
}
_FACTS = {
    "vendor": "buildkite",
    "pipeline": "d18439cc-df59-45b0-97cc-98d7fb69d983",
    "pipeline_name": "My Project",
    "execution_id": "4735ba57-80d0-46e2-8fa0-b28223a86586",
    "execution_number": "1514",
    "stage_id": "e44f9784-e20e-4b93-a21d-f41fd5869db9",
    "repository": "git@github.com:acme-inc/my-project.git",
    "actor": "Carol Danvers",
    "url": "https://buildkite.com/acme-inc/my-project/builds/1514",
}
_SHA = "83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d"
SAMPLES = [
    Sample(
        "push",
        _JOB,
        Build(
            **_FACTS,
            trigger_type="push",
            branch="main",
            sha=_SHA,
            message="Added a great new feature",
        ),
    ),
    Sample(
        "fork's pull request, its branch prefixed",
        {
            **_JOB,
            "BUILDKITE_BRANCH": "some-user:main",
            "BUILDKITE_PULL_REQUEST": "123",
            "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "main",
            "BUILDKITE_PULL_REQUEST_REPO": "git://github.com/some-user/my-project.git",
        },
        Build(
            **_FACTS,
            trigger_type="pull_request",
            branch="main",
            sha=_SHA,
            message="Added a great new feature",
            pull_request="123",
        ),
    ),
    Sample(
        "tag",
        {**_JOB, "BUILDKITE_BRANCH": "v1.2.3", "BUILDKITE_TAG": "v1.2.3"},
        Build(
            **_FACTS,
            trigger_type="tag",
            tag="v1.2.3",
            sha=_SHA,
            message="Added a great new feature",
        ),
    ),
    Sample(
        "manual, of whatever is newest",
        {**_JOB, "BUILDKITE_SOURCE": "ui", "BUILDKITE_COMMIT": "HEAD", "BUILDKITE_MESSAGE": "go"},
        Build(**_FACTS, trigger_type="manual", branch="main"),
    ),
    Sample(
        "merge queue",
        {
            **_JOB,
            "BUILDKITE_BRANCH": "gh-readonly-queue/main/pr-5-ce9a3c1404e8c91be604088670e93434",
            "BUILDKITE_MERGE_QUEUE_BASE_BRANCH": "main",
            "BUILDKITE_MERGE_QUEUE_BASE_COMMIT": "44af8aa0007898d08f1bec401df7c077c1df0722",
        },
        Build(**_FACTS, trigger_type="push", sha=_SHA, message="Added a great new feature"),
    ),
    Sample(
        "by the API, of a pull request",
        {
            **_JOB,
            "BUILDKITE_BRANCH": "wider",
            "BUILDKITE_MESSAGE": "Deploy it",
            "BUILDKITE_PULL_REQUEST": "123",
            "BUILDKITE_SOURCE": "api",
        },
        Build(**_FACTS, trigger_type="api", branch="wider", sha=_SHA, pull_request="123"),
    ),
    Sample(
        "schedule",
        {**_JOB, "BUILDKITE_SOURCE": "schedule", "BUILDKITE_MESSAGE": "Nightly"},
        Build(**_FACTS, trigger_type="schedule", branch="main", sha=_SHA),
    ),
    Sample(
        "started by another pipeline, older agent",
        {
            **{
                name: value
                for name, value in _JOB.items()
                if name not in ("BUILDKITE_PIPELINE_ID", "BUILDKITE_PIPELINE_NAME")
            },
            "BUILDKITE_SOURCE": "trigger_job",
        },
        Build(
            **{**_FACTS, "pipeline": "my-project", "pipeline_name": "my-project"},
            trigger_type="upstream",
            branch="main",
            sha=_SHA,
        ),
    ),
]
