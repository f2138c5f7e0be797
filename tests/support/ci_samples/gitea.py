"""A job's environment, as documented at the links in tfevents/context/ci/gitea.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_EVENT = "/var/run/act/workflow/event.json"
_SHA = "ffac537e6cbbf934b08745a378932722df287a53"
_JOB = {
    "CI": "true",
    "GITEA_ACTIONS": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "octocat",
    "GITHUB_EVENT_PATH": _EVENT,
    "GITHUB_REPOSITORY": "octocat/infra",
    "GITHUB_RUN_ID": "201",
    "GITHUB_RUN_NUMBER": "7",
    "GITHUB_SERVER_URL": "https://gitea.example.com",
    "GITHUB_SHA": _SHA,
    "GITHUB_WORKFLOW": "plan.yaml",
}
_FACTS = {
    "vendor": "gitea",
    "pipeline": "plan.yaml",
    "pipeline_name": "plan.yaml",
    "execution_id": "201",
    "execution_number": "7",
    "sha": _SHA,
    "repository": "https://gitea.example.com/octocat/infra",
    "actor": "octocat",
}
SAMPLES = [
    Sample(
        "push",
        {**_JOB, "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"},
        Build(**_FACTS, trigger_type="push", branch="main"),
    ),
    Sample(
        "pull request, which Gitea builds at its head",
        {
            **_JOB,
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_REF": "refs/pull/5/head",
            "GITHUB_HEAD_REF": "wider",
        },
        Build(**_FACTS, trigger_type="pull_request", branch="wider", pull_request="5"),
    ),
    Sample(
        "tag",
        {
            **_JOB,
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_REF": "refs/tags/v2",
            "GITHUB_REF_NAME": "v2",
            "GITHUB_REF_TYPE": "tag",
        },
        Build(**_FACTS, trigger_type="tag", tag="v2"),
    ),
]
