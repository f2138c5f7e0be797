"""A job's environment, as documented at the links in tfevents/context/ci/bitbucket.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_JOB = {
    "CI": "true",
    "BITBUCKET_BUILD_NUMBER": "84",
    "BITBUCKET_COMMIT": "7f777ed95a19224294949e1b4ce56bbffcb1fe9f",
    "BITBUCKET_GIT_HTTP_ORIGIN": "http://bitbucket.org/atlassian/infra",
    "BITBUCKET_GIT_SSH_ORIGIN": "git@bitbucket.org:atlassian/infra.git",
    "BITBUCKET_PIPELINE_UUID": "{c2f6d4a5-3f61-4b0c-9e2f-6c1f3a6d9b11}",
    "BITBUCKET_REPO_FULL_NAME": "atlassian/infra",
    "BITBUCKET_REPO_SLUG": "infra",
    "BITBUCKET_STEP_TRIGGERER_UUID": "{0b1a7a4e-6a11-4a53-8f0f-4e8e9d2b6c77}",
    "BITBUCKET_STEP_UUID": "{5e3f7a94-6f0c-4f58-8a3c-1f2d0c9b8a76}",
}
_FACTS = {
    "vendor": "bitbucket",
    "pipeline": "atlassian/infra",
    "pipeline_name": "atlassian/infra",
    "execution_id": "c2f6d4a5-3f61-4b0c-9e2f-6c1f3a6d9b11",
    "execution_number": "84",
    "stage_id": "5e3f7a94-6f0c-4f58-8a3c-1f2d0c9b8a76",
    "sha": "7f777ed95a19224294949e1b4ce56bbffcb1fe9f",
    "repository": "http://bitbucket.org/atlassian/infra",
    "actor": "0b1a7a4e-6a11-4a53-8f0f-4e8e9d2b6c77",
    "url": "https://bitbucket.org/atlassian/infra/pipelines/results/84",
}
SAMPLES = [
    Sample("branch", {**_JOB, "BITBUCKET_BRANCH": "main"}, Build(**_FACTS, branch="main")),
    Sample(
        "pull request",
        {
            **_JOB,
            "BITBUCKET_BRANCH": "feature/wider",
            "BITBUCKET_PR_ID": "9",
            "BITBUCKET_PR_DESTINATION_BRANCH": "main",
        },
        Build(**_FACTS, trigger_type="pull_request", branch="feature/wider", pull_request="9"),
    ),
    Sample(
        "custom pipeline of a commit, deploying",
        {
            **_JOB,
            "BITBUCKET_DEPLOYMENT_ENVIRONMENT": "production",
            "BITBUCKET_PR_ID": "",
            "BITBUCKET_TAG": "",
            "BITBUCKET_BRANCH": "",
        },
        Build(**_FACTS),
    ),
    Sample(
        "an origin with a token",
        {
            **_JOB,
            "BITBUCKET_BRANCH": "main",
            "BITBUCKET_GIT_HTTP_ORIGIN": "http://x-token-auth:ATCTT3x@bitbucket.org/atlassian/infra",
        },
        Build(**_FACTS, branch="main"),
    ),
    Sample("tag", {**_JOB, "BITBUCKET_TAG": "v1"}, Build(**_FACTS, trigger_type="tag", tag="v1")),
]
