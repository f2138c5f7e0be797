"""A job's environment, as documented at the links in tfevents/context/ci/terrateam.py."""

from support.ci_samples import github, gitlab
from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_SHA = "ffac537e6cbbf934b08745a378932722df287a53"
_DISPATCHED = {
    **github.JOB,
    "GITHUB_EVENT_NAME": "workflow_dispatch",
    "GITHUB_REF": "refs/heads/wider",
    "GITHUB_REF_TYPE": "branch",
}
_HOOK = {
    "TERRATEAM_ROOT": "/github/workspace",
    "TERRATEAM_DIR": "prod",
    "TERRATEAM_WORKSPACE": "default",
    "TERRATEAM_PLAN_FILE": "/tmp/x/plan",
}
_FACTS = {**github.FACTS, "vendor": "terrateam", "branch": "wider", "sha": _SHA}
SAMPLES = [
    Sample(
        "pull request",
        {
            **_DISPATCHED,
            **_HOOK,
            "TERRATEAM_RUN_KIND": "pr",
            "TERRATEAM_RUN_KIND_DATA": '{"id": 17}',
        },
        Build(**_FACTS, trigger_type="pull_request", pull_request="17"),
    ),
    Sample(
        "drift",
        {
            **_DISPATCHED,
            **_HOOK,
            "TERRATEAM_RUN_KIND": "drift",
            "TERRATEAM_RUN_KIND_DATA": '{"id": 4711}',
        },
        Build(**_FACTS, trigger_type="drift"),
    ),
    Sample(
        "GitLab, older server",
        {**gitlab.JOB, **_HOOK, "CI_PIPELINE_SOURCE": "trigger", "CI_COMMIT_BRANCH": "wider"},
        Build(
            **{**gitlab.FACTS, "vendor": "terrateam"},
            trigger_type="api",
            branch="wider",
            sha="1ecfd275763eff1d6b4844ea3168962458c9f27a",
            message="Widen the subnets\n\nAll of them.",
        ),
    ),
]
