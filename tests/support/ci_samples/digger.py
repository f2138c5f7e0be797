"""A job's environment, as documented at the links in tfevents/context/ci/digger.py."""

from support.ci_samples import github
from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_SHA = "ffac537e6cbbf934b08745a378932722df287a53"
_HEAD = "ec26c3e57ca3a959ca5aad62de7213c562f8c821"
_DISPATCHED = {
    **github.JOB,
    "GITHUB_EVENT_NAME": "workflow_dispatch",
    "GITHUB_REF": "refs/heads/wider",
    "GITHUB_REF_TYPE": "branch",
    "DIGGER_OUT": "/home/runner/work/_temp/digger-out.log",
}
_FACTS = {**github.FACTS, "vendor": "digger"}
SAMPLES = [
    Sample(
        "started by its backend",
        {
            **_DISPATCHED,
            "DIGGER_RUN_SPEC": '{"job_id": "j1", "job": {"pullRequestNumber": 17, "commit": "'
            + _HEAD
            + '", "branch": "wider", "eventName": "pull_request", "requestedBy": "octocat"},'
            ' "vcs": {"actor": "sidney", "repo_full_name": "octocat/Hello-World"}}',
        },
        Build(
            **{**_FACTS, "actor": "sidney"},
            trigger_type="pull_request",
            branch="wider",
            sha=_HEAD,
            pull_request="17",
        ),
    ),
    Sample(
        "by a comment, without a backend",
        {
            **_DISPATCHED,
            "GITHUB_EVENT_NAME": "issue_comment",
            "GITHUB_REF": "refs/heads/main",
        },
        Build(
            **_FACTS,
            trigger_type="issue_comment",
            branch="main",
            sha=_SHA,
            pull_request="2",
            chooses_checkout=True,
        ),
        {
            github.JOB["GITHUB_EVENT_PATH"]: b'{"issue": {"number": 2, "pull_request":'
            b' {"url": "https://api.github.com/repos/octocat/Hello-World/pulls/2"}}}'
        },
    ),
    Sample(
        "without a backend",
        {**_DISPATCHED, "PROJECT_NAME": "prod", "PR_BRANCH": "wider"},
        Build(**_FACTS, trigger_type="manual", branch="wider", sha=_SHA),
    ),
    Sample(
        "a spec that is none",
        {"DIGGER_RUN_SPEC": "{", "CI": "true"},
        Build(vendor="digger"),
    ),
]
