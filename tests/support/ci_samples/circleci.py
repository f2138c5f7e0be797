"""A job's environment, as documented at the links in tfevents/context/ci/circleci.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_JOB = {
    "CI": "true",
    "CIRCLECI": "true",
    "CIRCLE_BUILD_NUM": "213",
    "CIRCLE_BUILD_URL": "https://circleci.com/gh/acme/infra/213",
    "CIRCLE_JOB": "plan",
    "CIRCLE_PIPELINE_ID": "d2e7dd5c-4a32-4f1a-8d3b-0d8b1e6cb7a0",
    "CIRCLE_PROJECT_REPONAME": "infra",
    "CIRCLE_PROJECT_USERNAME": "acme",
    "CIRCLE_REPOSITORY_URL": "git@github.com:acme/infra.git",
    "CIRCLE_SHA1": "6e5f3f0c1a8b4f7d9c2e1b0a7d6c5e4f3a2b1c0d",
    "CIRCLE_USERNAME": "octocat",
    "CIRCLE_WORKFLOW_ID": "0f3d3c2a-9d1e-4c7b-8a6f-5e4d3c2b1a09",
    "CIRCLE_WORKFLOW_JOB_ID": "7b6a5948-3726-4150-8f6e-5d4c3b2a1908",
}
_FACTS = {
    "vendor": "circleci",
    "pipeline": "acme/infra",
    "pipeline_name": "acme/infra",
    "execution_id": "0f3d3c2a-9d1e-4c7b-8a6f-5e4d3c2b1a09",
    "stage_id": "7b6a5948-3726-4150-8f6e-5d4c3b2a1908",
    "sha": "6e5f3f0c1a8b4f7d9c2e1b0a7d6c5e4f3a2b1c0d",
    "repository": "git@github.com:acme/infra.git",
    "actor": "octocat",
    "url": "https://circleci.com/gh/acme/infra/213",
}
SAMPLES = [
    Sample("branch", {**_JOB, "CIRCLE_BRANCH": "main"}, Build(**_FACTS, branch="main")),
    Sample(
        "branch with a pull request",
        {
            **_JOB,
            "CIRCLE_BRANCH": "wider",
            "CIRCLE_PULL_REQUEST": "https://github.com/acme/infra/pull/5",
        },
        Build(**_FACTS, branch="wider", pull_request="5"),
    ),
    Sample(
        "fork's pull request",
        {
            **_JOB,
            "CIRCLE_BRANCH": "pull/5",
            "CIRCLE_PR_NUMBER": "5",
            "CIRCLE_PR_USERNAME": "someone",
            "CIRCLE_PULL_REQUEST": "https://github.com/acme/infra/pull/5",
        },
        Build(**_FACTS, trigger_type="pull_request", pull_request="5"),
    ),
    Sample(
        "scheduled or started by hand, which does not show; GitHub's App has no address",
        {
            **{name: value for name, value in _JOB.items() if name != "CIRCLE_REPOSITORY_URL"},
            "CIRCLE_BRANCH": "main",
            "CIRCLE_TAG": "",
            "CIRCLE_PR_NUMBER": "",
            "CIRCLE_PULL_REQUEST": "",
        },
        Build(**{**_FACTS, "repository": None}, branch="main"),
    ),
    Sample(
        "merge queue",
        {**_JOB, "CIRCLE_BRANCH": "gh-readonly-queue/main/pr-5-ce9a3c1404e8c91be604088670e93434"},
        Build(**_FACTS),
    ),
    Sample("tag", {**_JOB, "CIRCLE_TAG": "v1.2"}, Build(**_FACTS, trigger_type="tag", tag="v1.2")),
]
