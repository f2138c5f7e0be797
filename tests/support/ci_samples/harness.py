"""A job's environment, as documented at the links in tfevents/context/ci/harness.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_STEP = {
    "CI": "true",
    "DRONE": "true",
    "HARNESS_ACCOUNT_ID": "vpCkHKsDSxK9_KYfjCTMKA",
    "HARNESS_ORG_ID": "default",
    "HARNESS_PROJECT_ID": "infra",
    "HARNESS_PIPELINE_ID": "Deploy_Network",
    "HARNESS_EXECUTION_ID": "q8RkJ0sPQ7iNxoXAVBPWfA",
    "HARNESS_BUILD_ID": "42",
    "HARNESS_STAGE_ID": "plan",
    "HARNESS_USER_ID": "lv0euRhKRCyiXWzS7pOg6g",
    "HARNESS_WORKSPACE": "/harness",
    "DRONE_BUILD_NUMBER": "42",
    "DRONE_BUILD_LINK": "https://app.harness.io/ng/account/vpC/ci/executions/q8R/pipeline",
    "DRONE_REPO": "octocat/hello-world",
    "DRONE_REPO_LINK": "https://github.com/octocat/hello-world",
    "DRONE_GIT_HTTP_URL": "https://github.com/octocat/hello-world.git",
}
_FACTS = {
    "vendor": "harness",
    "pipeline": "Deploy_Network",
    "execution_id": "q8RkJ0sPQ7iNxoXAVBPWfA",
    "execution_number": "42",
    "stage_id": "plan",
    "repository": "https://github.com/octocat/hello-world",
    "actor": "lv0euRhKRCyiXWzS7pOg6g",
    "url": "https://app.harness.io/ng/account/vpC/ci/executions/q8R/pipeline",
}
SAMPLES = [
    Sample(
        "push",
        {
            **_STEP,
            "DRONE_BUILD_EVENT": "push",
            "DRONE_COMMIT_BRANCH": "main",
            "DRONE_COMMIT_REF": "refs/heads/main",
            "DRONE_COMMIT_SHA": "bcdd4bf0245c82c060407b3b24b9b87301d15ac1",
            "DRONE_COMMIT_MESSAGE": "Widen the subnets\n\nAll of them.\n",
        },
        Build(
            **_FACTS,
            trigger_type="push",
            branch="main",
            sha="bcdd4bf0245c82c060407b3b24b9b87301d15ac1",
            message="Widen the subnets\n\nAll of them.",
        ),
    ),
    Sample(
        "pull request of an IaCM step",
        {
            **_STEP,
            "PLUGIN_ENDPOINT_VARIABLES": '{"base_url": "https://app.harness.io/gateway/iacm",'
            ' "account_id": "vpCkHKsDSxK9_KYfjCTMKA", "org_id": "default", "project_id": "infra",'
            ' "workspace_id": "network", "pipeline_execution_id": "q8RkJ0sPQ7iNxoXAVBPWfA",'
            ' "pipeline_stage_execution_id": "0bq5tCLpTYaVOB8tMGRIkg", "token": "secret"}',
            "PLUGIN_STAGE_EXECUTION_ID": "older",
            "DRONE_BUILD_EVENT": "pull_request",
            "DRONE_BUILD_ACTION": "open",
            "DRONE_PULL_REQUEST": "17",
            "DRONE_COMMIT_BRANCH": "main",
            "DRONE_SOURCE_BRANCH": "wider",
            "DRONE_TARGET_BRANCH": "main",
            "DRONE_COMMIT_REF": "refs/pull/17/head",
            "DRONE_COMMIT_SHA": "bcdd4bf0245c82c060407b3b24b9b87301d15ac1",
        },
        Build(
            **{**_FACTS, "stage_id": "0bq5tCLpTYaVOB8tMGRIkg"},
            trigger_type="pull_request",
            pull_request="17",
            branch="wider",
            sha="bcdd4bf0245c82c060407b3b24b9b87301d15ac1",
        ),
    ),
    Sample(
        "tag",
        {
            **_STEP,
            "PLUGIN_STAGE_EXECUTION_ID": "0bq5tCLpTYaVOB8tMGRIkg",
            "DRONE_BUILD_EVENT": "tag",
            "DRONE_TAG": "v1.0.0",
            "DRONE_COMMIT_BRANCH": "refs/tags/v1.0.0",
            "DRONE_COMMIT_REF": "refs/tags/v1.0.0",
        },
        Build(**{**_FACTS, "stage_id": "0bq5tCLpTYaVOB8tMGRIkg"}, trigger_type="tag", tag="v1.0.0"),
    ),
    Sample(
        "tag, by a webhook",
        {
            **_STEP,
            "DRONE_BUILD_EVENT": "push",
            "DRONE_BRANCH": "refs/tags/v1.0.0",
            "DRONE_COMMIT_BRANCH": "refs/tags/v1.0.0",
            "DRONE_SOURCE_BRANCH": "refs/tags/v1.0.0",
            "DRONE_TARGET_BRANCH": "refs/tags/v1.0.0",
            "DRONE_COMMIT_REF": "refs/tags/v1.0.0",
            "DRONE_TAG": "v1.0.0",
            "DRONE_COMMIT_SHA": "bcdd4bf0245c82c060407b3b24b9b87301d15ac1",
        },
        Build(
            **_FACTS,
            trigger_type="tag",
            tag="v1.0.0",
            sha="bcdd4bf0245c82c060407b3b24b9b87301d15ac1",
        ),
    ),
    Sample(
        "manual build of a tag, whose ref may be empty",
        {**_STEP, "DRONE_BUILD_EVENT": "tag", "DRONE_TAG": "v1.0.0", "DRONE_COMMIT_REF": ""},
        Build(**_FACTS, trigger_type="tag", tag="v1.0.0"),
    ),
    Sample(
        "manual build of a branch",
        {
            **_STEP,
            "DRONE_BUILD_EVENT": "push",
            "DRONE_BUILD_TRIGGER": "Mona Lisa",
            "DRONE_BRANCH": "main",
            "DRONE_COMMIT_BRANCH": "main",
            "DRONE_SOURCE_BRANCH": "main",
            "DRONE_PULL_REQUEST": "",
            "HARNESS_USER_ID": "",
        },
        Build(**{**_FACTS, "actor": "Mona Lisa"}, trigger_type="push", branch="main"),
    ),
    Sample(
        "Bitbucket's pull request, whose hash is short",
        {
            **_STEP,
            "DRONE_BUILD_EVENT": "pull_request",
            "DRONE_BUILD_ACTION": "close",
            "DRONE_PULL_REQUEST": "17",
            "DRONE_COMMIT_BRANCH": "main",
            "DRONE_SOURCE_BRANCH": "wider",
            "DRONE_COMMIT_REF": "+refs/heads/wider",
            "DRONE_COMMIT_SHA": "bcdd4bf0245c",
        },
        Build(
            **_FACTS,
            trigger_type="pull_request",
            pull_request="17",
            branch="wider",
            sha="bcdd4bf0245c",
        ),
    ),
    Sample(
        "a step that runs somebody's GitHub Action",
        {
            **_STEP,
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_REPOSITORY": "octocat/hello-world",
            "GITHUB_SERVER_URL": "https://github.com",
            "DRONE_BUILD_EVENT": "push",
            "DRONE_COMMIT_BRANCH": "main",
        },
        Build(**_FACTS, trigger_type="push", branch="main"),
    ),
    Sample(
        "manual, without a codebase",
        {
            "HARNESS_PIPELINE_ID": "Deploy_Network",
            "HARNESS_EXECUTION_ID": "q8RkJ0sPQ7iNxoXAVBPWfA",
            "HARNESS_BUILD_ID": "43",
            "DRONE_BUILD_TRIGGER": "webhook",
        },
        Build(
            vendor="harness",
            pipeline="Deploy_Network",
            execution_id="q8RkJ0sPQ7iNxoXAVBPWfA",
            execution_number="43",
        ),
    ),
    Sample(
        "only the step's own document",
        {"PLUGIN_ENDPOINT_VARIABLES": '{"pipeline_execution_id": "q8R", "token": "secret"}'},
        Build(vendor="harness", execution_id="q8R"),
    ),
]
