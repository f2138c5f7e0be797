"""A job's environment, as documented at the links in tfevents/context/ci/atlantis.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_HOOK = {
    "BASE_BRANCH_NAME": "main",
    "BASE_REPO_NAME": "atlantis",
    "BASE_REPO_OWNER": "runatlantis",
    "COMMENT_ARGS": "",
    "DIR": "/data/repos/runatlantis/atlantis/2/default",
    "HEAD_BRANCH_NAME": "wider",
    "HEAD_COMMIT": "ce9a3c1404e8c91be604088670e93434c4253f03",
    "HEAD_REPO_NAME": "atlantis",
    "HEAD_REPO_OWNER": "acme-corp",
    "PROJECT_NAME": "",
    "PULL_AUTHOR": "acme-user",
    "PULL_NUM": "2",
    "PULL_URL": "https://github.com/runatlantis/atlantis/pull/2",
    "USER_NAME": "atlantis",
}
RUN = {
    **_HOOK,
    "ATLANTIS_TERRAFORM_VERSION": "1.11.4",
    "PLANFILE": "/data/repos/runatlantis/atlantis/2/default/default.tfplan",
    "REPO_REL_DIR": ".",
    "WORKSPACE": "default",
}
FACTS = {
    "vendor": "atlantis",
    "pipeline": "runatlantis/atlantis",
    "pipeline_name": "runatlantis/atlantis",
    "branch": "wider",
    "sha": "ce9a3c1404e8c91be604088670e93434c4253f03",
    "repository": "https://github.com/runatlantis/atlantis",
    "trigger_type": "pull_request",
    "actor": "atlantis",
    "pull_request": "2",
}
SAMPLES = [
    Sample("run step, fork's pull request", RUN, Build(**FACTS)),
    Sample("workflow hook", {**_HOOK, "COMMAND_NAME": "plan"}, Build(**FACTS)),
    Sample(
        "named project on GitLab",
        {
            **RUN,
            "PROJECT_NAME": "network",
            "PULL_URL": "https://gitlab.example.com/group/infra/-/merge_requests/2",
        },
        Build(
            **{
                **FACTS,
                "pipeline": "network",
                "pipeline_name": "network",
                "repository": "https://gitlab.example.com/group/infra",
            }
        ),
    ),
    Sample(
        "Bitbucket Cloud, which shortens commits",
        {
            **RUN,
            "HEAD_COMMIT": "ce9a3c1404e8",
            "PULL_URL": "https://bitbucket.org/runatlantis/atlantis/pull-requests/2",
        },
        Build(
            **{
                **FACTS,
                "sha": "ce9a3c1404e8",
                "repository": "https://bitbucket.org/runatlantis/atlantis",
            }
        ),
    ),
    Sample("built-in step", {"ATLANTIS_TERRAFORM_VERSION": "1.11.4"}, Build(vendor="atlantis")),
    Sample(
        "drift detection, whose pull request is made up",
        {
            **RUN,
            "HEAD_BRANCH_NAME": "main",
            "HEAD_COMMIT": "main",
            "PULL_NUM": "-734521",
            "PULL_URL": "",
            "USER_NAME": "",
        },
        Build(
            vendor="atlantis",
            pipeline="runatlantis/atlantis",
            pipeline_name="runatlantis/atlantis",
            branch="main",
        ),
    ),
    Sample(
        "server in Kubernetes, which was installed by a CI",
        {**RUN, "CI": "true", "KUBERNETES_SERVICE_HOST": "10.0.0.1", "ATLANTIS_PORT": "4141"},
        Build(**FACTS),
    ),
    Sample(
        "through the API, without a pull request",
        {**RUN, "PULL_NUM": "0", "PULL_URL": ""},
        Build(**{**FACTS, "repository": None, "trigger_type": None, "pull_request": None}),
    ),
]
