"""A job's environment, as documented at the links in tfevents/context/ci/woodpecker.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_JOB = {
    "CI": "woodpecker",
    "CI_SYSTEM_NAME": "woodpecker",
    "CI_REPO": "john-doe/my-repo",
    "CI_REPO_URL": "https://git.example.com/john-doe/my-repo",
    "CI_REPO_CLONE_URL": "https://git.example.com/john-doe/my-repo.git",
    "CI_REPO_CLONE_SSH_URL": "git@git.example.com:john-doe/my-repo.git",
    "CI_COMMIT_SHA": "eba09b46064473a1d345da7abf28b477468e8dbd",
    "CI_COMMIT_MESSAGE": "Initial commit",
    "CI_COMMIT_BRANCH": "main",
    "CI_PIPELINE_NUMBER": "8",
    "CI_PIPELINE_URL": "https://ci.example.com/repos/7/pipeline/8",
    "CI_PIPELINE_AUTHOR": "octocat",
    "CI_WORKFLOW_NAME": "release",
    "CI_STEP_URL": "https://ci.example.com/repos/7/pipeline/8/2",
}
_FACTS = {
    "vendor": "woodpecker",
    "pipeline": "john-doe/my-repo",
    "pipeline_name": "john-doe/my-repo",
    "execution_id": "8",
    "execution_number": "8",
    "sha": "eba09b46064473a1d345da7abf28b477468e8dbd",
    "message": "Initial commit",
    "repository": "https://git.example.com/john-doe/my-repo.git",
    "actor": "octocat",
    "url": "https://ci.example.com/repos/7/pipeline/8",
}
_PULL_REQUEST = {
    **_JOB,
    "CI_COMMIT_REF": "refs/pull/1/head",
    "CI_COMMIT_PULL_REQUEST": "1",
    "CI_COMMIT_SOURCE_BRANCH": "issue-branch",
    "CI_COMMIT_TARGET_BRANCH": "main",
}
SAMPLES = [
    Sample(
        "push",
        {**_JOB, "CI_PIPELINE_EVENT": "push", "CI_COMMIT_REF": "refs/heads/main"},
        Build(**_FACTS, trigger_type="push", branch="main"),
    ),
    Sample(
        "pull request",
        {**_PULL_REQUEST, "CI_PIPELINE_EVENT": "pull_request"},
        Build(**_FACTS, trigger_type="pull_request", branch="issue-branch", pull_request="1"),
    ),
    Sample(
        "closed pull request",
        {**_PULL_REQUEST, "CI_PIPELINE_EVENT": "pull_request_closed"},
        Build(**_FACTS, trigger_type="pull_request", branch="issue-branch", pull_request="1"),
    ),
    Sample(
        "tag",
        {
            **_JOB,
            "CI_PIPELINE_EVENT": "tag",
            "CI_COMMIT_REF": "refs/tags/v1.10.3",
            "CI_COMMIT_TAG": "v1.10.3",
        },
        Build(**_FACTS, trigger_type="tag", tag="v1.10.3"),
    ),
    Sample(
        "release",
        {
            **_JOB,
            "CI_PIPELINE_EVENT": "release",
            "CI_PIPELINE_RELEASE_TITLE": "One",
            "CI_COMMIT_REF": "refs/tags/v1.10.3",
            "CI_COMMIT_TAG": "v1.10.3",
        },
        Build(**_FACTS, trigger_type="release", tag="v1.10.3"),
    ),
    Sample(
        "deployment",
        {
            **_JOB,
            "CI_PIPELINE_EVENT": "deployment",
            "CI_PIPELINE_PARENT": "7",
            "CI_PIPELINE_DEPLOY_TARGET": "production",
            "CI_COMMIT_REF": "refs/heads/main",
        },
        Build(**_FACTS, trigger_type="deployment", branch="main"),
    ),
    Sample(
        "labels of a pull request",
        {
            **_PULL_REQUEST,
            "CI_PIPELINE_EVENT": "pull_request_metadata",
            "CI_PIPELINE_EVENT_REASON": "label_updated",
        },
        Build(**_FACTS, trigger_type="pull_request", branch="issue-branch", pull_request="1"),
    ),
    Sample(
        "cron",
        {**_JOB, "CI_PIPELINE_EVENT": "cron"},
        Build(**_FACTS, trigger_type="schedule", branch="main"),
    ),
    Sample(
        "manual",
        {**_JOB, "CI_PIPELINE_EVENT": "manual"},
        Build(**_FACTS, trigger_type="manual", branch="main"),
    ),
]
