"""A job's environment, as documented at the links in tfevents/context/ci/env0.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_RUN = {
    "ENV0_DEPLOYMENT_LOG_ID": "ec975e5e-f9a2-4d03-b724-4d66e01ded75",
    "ENV0_DEPLOYMENT_TYPE": "deploy",
    "ENV0_DEPLOYER_NAME": "Sidney Jones",
    "ENV0_ENVIRONMENT_ID": "788525fb-721e-4bd5-8333-4f86f6278c0e",
    "ENV0_ENVIRONMENT_NAME": "network",
    "ENV0_ORGANIZATION_ID": "bde19c6d-d0dc-4b11-a951-8f43fe49db92",
    "ENV0_PROJECT_ID": "b1f7fb5c-4f9c-4b68-9f29-9c8d5f0c2a11",
    "ENV0_TEMPLATE_REPOSITORY": "https://github.com/acme/infra",
    "ENV0_COMMIT_HASH": "ce9a3c1404e8c91be604088670e93434c4253f03",
}
_FACTS = {
    "vendor": "env0",
    "pipeline": "788525fb-721e-4bd5-8333-4f86f6278c0e",
    "pipeline_name": "network",
    "execution_id": "ec975e5e-f9a2-4d03-b724-4d66e01ded75",
    "sha": "ce9a3c1404e8c91be604088670e93434c4253f03",
    "repository": "https://github.com/acme/infra",
    "actor": "Sidney Jones",
}
SAMPLES = [
    Sample("deployment", _RUN, Build(**_FACTS)),
    Sample(
        "plan of a pull request",
        {
            **_RUN,
            "ENV0_DEPLOYMENT_TYPE": "prPlan",
            "ENV0_PR_NUMBER": "17",
            "ENV0_PR_SOURCE_BRANCH": "wider",
            "ENV0_PR_TARGET_BRANCH": "main",
        },
        Build(**_FACTS, trigger_type="pull_request", branch="wider", pull_request="17"),
    ),
    Sample(
        "task, whose deployment is not told",
        {
            "ENV0_ENVIRONMENT_ID": "788525fb-721e-4bd5-8333-4f86f6278c0e",
            "ENV0_DEPLOYMENT_TYPE": "task",
        },
        Build(vendor="env0", pipeline="788525fb-721e-4bd5-8333-4f86f6278c0e"),
    ),
    Sample(
        "drift detection",
        {**_RUN, "ENV0_DEPLOYMENT_TYPE": "driftDetection", "ENV0_DEPLOYER_NAME": ""},
        Build(**{**_FACTS, "actor": None}, trigger_type="driftDetection"),
    ),
    Sample(
        "destroyed by hand, a repository with a token in its address",
        {
            **_RUN,
            "ENV0_DEPLOYMENT_TYPE": "destroy",
            "ENV0_DEPLOYMENT_REVISION": "main",
            "ENV0_TEMPLATE_REPOSITORY": "https://oauth2:glpat-x@github.com/acme/infra",
        },
        Build(**_FACTS),
    ),
]
