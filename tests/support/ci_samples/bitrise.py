"""A job's environment, as documented at the links in tfevents/context/ci/bitrise.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_SHA = "6e5f3f0c1a8b4f7d9c2e1b0a7d6c5e4f3a2b1c0d"
_MERGE = "0123456789abcdef0123456789abcdef01234567"
_JOB = {
    "CI": "true",
    "BITRISE_IO": "true",
    "BITRISE_APP_SLUG": "31e481ce08e0xfd9",
    "BITRISE_BUILD_NUMBER": "153",
    "BITRISE_BUILD_SLUG": "d75abbebxfc9ca4e",
    "BITRISE_BUILD_URL": "https://app.bitrise.io/build/d75abbebxfc9ca4e",
    "BITRISE_TRIGGERED_WORKFLOW_ID": "plan",
    "BITRISE_TRIGGERED_WORKFLOW_TITLE": "Plan the network",
    "BITRISE_TRIGGER_BY": "octocat",
    "BITRISE_TRIGGER_METHOD": "webhook",
    "BITRISE_GIT_BRANCH": "main",
    "BITRISE_GIT_COMMIT": _SHA,
    "BITRISE_GIT_MESSAGE": "Widen the subnets",
    "GIT_REPOSITORY_URL": "git@github.com:acme/infra.git",
}
_FACTS = {
    "vendor": "bitrise",
    "pipeline": "plan",
    "pipeline_name": "Plan the network",
    "execution_id": "d75abbebxfc9ca4e",
    "execution_number": "153",
    "repository": "git@github.com:acme/infra.git",
    "actor": "octocat",
    "url": "https://app.bitrise.io/build/d75abbebxfc9ca4e",
}
SAMPLES = [
    Sample(
        "push",
        _JOB,
        Build(**_FACTS, trigger_type="push", branch="main", sha=_SHA, message="Widen the subnets"),
    ),
    Sample(
        "cloned, of a pipeline",
        {
            **_JOB,
            "BITRISEIO_PIPELINE_ID": "6106d3ee-1de5-4c3e-b5f0-1b1f1f0b8a1e",
            "BITRISEIO_PIPELINE_TITLE": "network",
            "BITRISEIO_PIPELINE_BUILD_URL": "https://app.bitrise.io/app/31e/pipelines/6106d3ee",
            "GIT_CLONE_COMMIT_HASH": _SHA,
            "GIT_CLONE_COMMIT_MESSAGE_SUBJECT": "Widen the subnets",
            "GIT_CLONE_COMMIT_MESSAGE_BODY": "All of them.",
        },
        Build(
            **{
                **_FACTS,
                "pipeline": "network",
                "pipeline_name": "network",
                "execution_id": "6106d3ee-1de5-4c3e-b5f0-1b1f1f0b8a1e",
                "execution_number": None,
                "stage_id": "d75abbebxfc9ca4e",
                "url": "https://app.bitrise.io/app/31e/pipelines/6106d3ee",
            },
            trigger_type="push",
            branch="main",
            sha=_SHA,
            message="Widen the subnets\n\nAll of them.",
        ),
    ),
    Sample(
        "pull request",
        {
            **_JOB,
            "BITRISE_GIT_BRANCH": "wider",
            "BITRISEIO_GIT_BRANCH_DEST": "main",
            "BITRISE_GIT_MESSAGE": "The title of the pull request",
            "BITRISE_PULL_REQUEST": "17",
            "BITRISEIO_PULL_REQUEST_MERGE_BRANCH": "pull/17/merge",
            "GIT_CLONE_COMMIT_HASH": _MERGE,
            "GIT_CLONE_COMMIT_MESSAGE_SUBJECT": "Merge 6e5f3f0 into 89abcde",
        },
        Build(**_FACTS, trigger_type="pull_request", branch="wider", sha=_SHA, pull_request="17"),
    ),
    Sample(
        "pull request of which only the merge is known",
        {
            **_JOB,
            "BITRISE_GIT_BRANCH": "wider",
            "BITRISE_GIT_COMMIT": "",
            "BITRISE_PULL_REQUEST": "17",
            "BITRISEIO_PULL_REQUEST_MERGE_BRANCH": "pull/17/merge",
            "GIT_CLONE_COMMIT_HASH": _MERGE,
        },
        Build(
            **_FACTS,
            trigger_type="pull_request",
            branch="wider",
            merge_commit=_MERGE,
            pull_request="17",
        ),
    ),
    Sample(
        "tag",
        {**_JOB, "BITRISE_GIT_TAG": "v1", "BITRISE_GIT_BRANCH": ""},
        Build(**_FACTS, trigger_type="tag", tag="v1", sha=_SHA, message="Widen the subnets"),
    ),
    Sample(
        "schedule",
        {**_JOB, "BITRISE_TRIGGER_METHOD": "schedule", "BITRISE_GIT_MESSAGE": "Nightly"},
        Build(**_FACTS, trigger_type="schedule", branch="main", sha=_SHA),
    ),
]
