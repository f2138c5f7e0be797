"""A job's environment, as documented at the links in tfevents/context/ci/cirrus.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_JOB = {
    "CI": "true",
    "CIRRUS_CI": "true",
    "CONTINUOUS_INTEGRATION": "true",
    "CIRRUS_BRANCH": "my-feature",
    "CIRRUS_BUILD_ID": "1234567890",
    "CIRRUS_CHANGE_IN_REPO": "e6e989d4792a678b697a9f17a787761bfefb52d0",
    "CIRRUS_CHANGE_MESSAGE": "Widen the subnets\n\nAll of them.",
    "CIRRUS_REPO_CLONE_URL": "https://github.com/my-organization/my-project.git",
    "CIRRUS_REPO_FULL_NAME": "my-organization/my-project",
    "CIRRUS_TASK_ID": "987654321",
    "CIRRUS_TASK_NAME": "main",
}
_FACTS = {
    "vendor": "cirrus",
    "pipeline": "my-organization/my-project",
    "pipeline_name": "my-organization/my-project",
    "execution_id": "1234567890",
    "stage_id": "987654321",
    "sha": "e6e989d4792a678b697a9f17a787761bfefb52d0",
    "repository": "https://github.com/my-organization/my-project.git",
    "url": "https://cirrus-ci.com/build/1234567890",
}
_MESSAGE = "Widen the subnets\n\nAll of them."
SAMPLES = [
    Sample(
        "push", _JOB, Build(**_FACTS, trigger_type="push", branch="my-feature", message=_MESSAGE)
    ),
    Sample(
        "pull request",
        {
            **_JOB,
            "CIRRUS_BRANCH": "pull/239",
            "CIRRUS_BASE_BRANCH": "master",
            "CIRRUS_PR": "239",
            "CIRRUS_CHANGE_MESSAGE": "The title\n\nThe description",
        },
        Build(**_FACTS, trigger_type="pull_request", pull_request="239"),
    ),
    Sample(
        "tag",
        {**_JOB, "CIRRUS_TAG": "v1.0"},
        Build(**_FACTS, trigger_type="tag", tag="v1.0", message=_MESSAGE),
    ),
    Sample(
        "cron",
        {**_JOB, "CIRRUS_CRON": "nightly"},
        Build(**_FACTS, trigger_type="schedule", branch="my-feature", message=_MESSAGE),
    ),
    Sample(
        "api",
        {**_JOB, "CIRRUS_API_CREATED": "true"},
        Build(**_FACTS, trigger_type="api", branch="my-feature", message=_MESSAGE),
    ),
]
