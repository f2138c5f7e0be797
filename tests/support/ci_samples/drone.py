"""A job's environment, as documented at the links in tfevents/context/ci/drone.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_JOB = {
    "CI": "true",
    "DRONE": "true",
    "DRONE_REPO": "octocat/hello-world",
    "DRONE_REPO_LINK": "https://github.com/octocat/hello-world",
    "DRONE_GIT_HTTP_URL": "https://github.com/octocat/hello-world.git",
    "DRONE_GIT_SSH_URL": "git@github.com:octocat/hello-world.git",
    "DRONE_BUILD_NUMBER": "42",
    "DRONE_BUILD_LINK": "https://drone.company.com/octocat/hello-world/42",
    "DRONE_COMMIT_SHA": "bcdd4bf0245c82c060407b3b24b9b87301d15ac1",
    "DRONE_COMMIT_MESSAGE": "Updated README.md",
    "DRONE_STAGE_NAME": "build",
    "DRONE_STAGE_NUMBER": "1",
    "DRONE_BUILD_TRIGGER": "@hook",
}
_FACTS = {
    "vendor": "drone",
    "pipeline": "octocat/hello-world",
    "pipeline_name": "octocat/hello-world",
    "execution_id": "42",
    "execution_number": "42",
    "sha": "bcdd4bf0245c82c060407b3b24b9b87301d15ac1",
    "message": "Updated README.md",
    "repository": "https://github.com/octocat/hello-world.git",
    "url": "https://drone.company.com/octocat/hello-world/42",
}
SAMPLES = [
    Sample(
        "push",
        {
            **_JOB,
            "DRONE_BUILD_EVENT": "push",
            "DRONE_COMMIT_BRANCH": "main",
            "DRONE_COMMIT_REF": "refs/heads/main",
        },
        Build(**_FACTS, trigger_type="push", branch="main"),
    ),
    Sample(
        "fork's pull request",
        {
            **_JOB,
            "DRONE_BUILD_EVENT": "pull_request",
            "DRONE_PULL_REQUEST": "42",
            "DRONE_COMMIT_BRANCH": "main",
            "DRONE_SOURCE_BRANCH": "feature/a",
            "DRONE_TARGET_BRANCH": "main",
            "DRONE_COMMIT_REF": "refs/pull/42/head",
        },
        Build(**_FACTS, trigger_type="pull_request", branch="feature/a", pull_request="42"),
    ),
    Sample(
        "push with one of the two names of the branch",
        {**_JOB, "DRONE_BUILD_EVENT": "push", "DRONE_BRANCH": "main"},
        Build(**_FACTS, trigger_type="push", branch="main"),
    ),
    Sample(
        "pull request with its target's branch alone",
        {
            **_JOB,
            "DRONE_BUILD_EVENT": "pull_request",
            "DRONE_PULL_REQUEST": "42",
            "DRONE_BRANCH": "main",
        },
        Build(**_FACTS, trigger_type="pull_request", pull_request="42"),
    ),
    Sample(
        "tag",
        {
            **_JOB,
            "DRONE_BUILD_EVENT": "tag",
            "DRONE_TAG": "v1.0.0",
            "DRONE_COMMIT_BRANCH": "main",
            "DRONE_COMMIT_REF": "refs/tags/v1.0.0",
        },
        Build(**_FACTS, trigger_type="tag", tag="v1.0.0"),
    ),
    Sample(
        "cron",
        {**_JOB, "DRONE_BUILD_EVENT": "cron", "DRONE_COMMIT_BRANCH": "main"},
        Build(**_FACTS, trigger_type="schedule", branch="main"),
    ),
    Sample(
        "manual",
        {
            **_JOB,
            "DRONE_BUILD_EVENT": "custom",
            "DRONE_COMMIT_BRANCH": "main",
            "DRONE_BUILD_TRIGGER": "octocat",
        },
        Build(**_FACTS, trigger_type="manual", branch="main", actor="octocat"),
    ),
    Sample(
        "promotion",
        {**_JOB, "DRONE_BUILD_EVENT": "promote", "DRONE_COMMIT_BRANCH": "main"},
        Build(**_FACTS, trigger_type="promote", branch="main"),
    ),
    Sample(
        "promotion of a pull request, whose number is not told then",
        {
            **_JOB,
            "DRONE_BUILD_EVENT": "promote",
            "DRONE_BUILD_PARENT": "41",
            "DRONE_BUILD_TRIGGER": "octocat",
            "DRONE_DEPLOY_TO": "production",
            "DRONE_BRANCH": "main",
            "DRONE_COMMIT_BRANCH": "main",
            "DRONE_SOURCE_BRANCH": "feature/a",
            "DRONE_TARGET_BRANCH": "main",
            "DRONE_COMMIT_REF": "refs/pull/42/head",
        },
        Build(**_FACTS, trigger_type="promote", branch="feature/a", actor="octocat"),
    ),
    Sample(
        "rollback, empty values",
        {
            **_JOB,
            "DRONE_BUILD_EVENT": "rollback",
            "DRONE_COMMIT_BRANCH": "main",
            "DRONE_SOURCE_BRANCH": "main",
            "DRONE_PULL_REQUEST": "",
            "DRONE_TAG": "",
            "DRONE_COMMIT_REF": "refs/heads/main",
        },
        Build(**_FACTS, trigger_type="rollback", branch="main"),
    ),
]
