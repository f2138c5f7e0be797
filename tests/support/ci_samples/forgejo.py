"""A job's environment, as documented at the links in tfevents/context/ci/forgejo.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_SHA = "ffac537e6cbbf934b08745a378932722df287a53"
_JOB = {
    "CI": "true",
    "FORGEJO_ACTIONS": "true",
    "GITEA_ACTIONS": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "octocat",
    "GITHUB_REPOSITORY": "tom/lab",
    "GITHUB_RUN_ID": "9001",
    "GITHUB_RUN_NUMBER": "42",
    "GITHUB_SERVER_URL": "https://code.example.com/",
    "GITHUB_SHA": _SHA,
    "GITHUB_WORKFLOW": "plan",
}
_FACTS = {
    "vendor": "forgejo",
    "pipeline": "plan",
    "pipeline_name": "plan",
    "execution_id": "9001",
    "execution_number": "42",
    "sha": _SHA,
    "repository": "https://code.example.com/tom/lab",
    "actor": "octocat",
    "url": "https://code.example.com/tom/lab/actions/runs/42",
}
SAMPLES = [
    Sample(
        "push",
        {**_JOB, "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"},
        Build(**_FACTS, trigger_type="push", branch="main"),
    ),
    Sample(
        "pull request",
        {
            **_JOB,
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_REF": "refs/pull/5/head",
            "GITHUB_HEAD_REF": "wider",
        },
        Build(**_FACTS, trigger_type="pull_request", branch="wider", pull_request="5"),
    ),
    Sample(
        "schedule",
        {**_JOB, "GITHUB_EVENT_NAME": "schedule", "GITHUB_REF": "refs/heads/main"},
        Build(**_FACTS, trigger_type="schedule", branch="main"),
    ),
]
