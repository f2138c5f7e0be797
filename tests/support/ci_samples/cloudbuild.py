"""A job's environment, as documented at the links in tfevents/context/ci/cloudbuild.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_SHA = "6e5f3f0c1a8b4f7d9c2e1b0a7d6c5e4f3a2b1c0d"
_JOB = {
    "PROJECT_ID": "my-project-123",
    "PROJECT_NUMBER": "415104041262",
    "BUILD_ID": "b5f1a9f8-6a3a-4f5e-8c07-0a3b2f1d9c11",
    "LOCATION": "europe-west1",
    "TRIGGER_NAME": "network-plan",
    "COMMIT_SHA": _SHA,
    "REVISION_ID": _SHA,
    "REPO_NAME": "infra",
    "REPO_FULL_NAME": "acme/infra",
}
_FACTS = {
    "vendor": "cloudbuild",
    "pipeline": "network-plan",
    "pipeline_name": "network-plan",
    "execution_id": "b5f1a9f8-6a3a-4f5e-8c07-0a3b2f1d9c11",
    "sha": _SHA,
}
SAMPLES = [
    Sample(
        "branch",
        {**_JOB, "BRANCH_NAME": "main", "REF_NAME": "main"},
        Build(**_FACTS, branch="main"),
    ),
    Sample(
        "pull request",
        {
            **_JOB,
            "_HEAD_BRANCH": "wider",
            "_BASE_BRANCH": "main",
            "_PR_NUMBER": "17",
            "_HEAD_REPO_URL": "https://github.com/someone/infra",
        },
        Build(**_FACTS, trigger_type="pull_request", branch="wider", pull_request="17"),
    ),
    Sample(
        "tag",
        {**_JOB, "TAG_NAME": "v1", "REF_NAME": "v1"},
        Build(**_FACTS, trigger_type="tag", tag="v1"),
    ),
    Sample(
        "submitted by hand, without a source",
        {
            "PROJECT_ID": "my-project-123",
            "PROJECT_NUMBER": "415104041262",
            "BUILD_ID": "b5f1a9f8",
            "TRIGGER_NAME": "",
            "COMMIT_SHA": "",
        },
        Build(vendor="cloudbuild", execution_id="b5f1a9f8"),
    ),
]
