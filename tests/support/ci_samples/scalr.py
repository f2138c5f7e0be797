"""A job's environment, as documented at the links in tfevents/context/ci/scalr.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_RUN = {
    "SCALR_RUN_ID": "run-v0o9he4gi5m5jd6qn",
    "SCALR_HOSTNAME": "acme.scalr.io",
    "SCALR_RUN_IS_DESTROY": "0",
    "SCALR_RUN_MODE": "apply",
    "SCALR_TERRAFORM_OPERATION": "plan",
    "SCALR_WORKSPACE_ID": "ws-v0o9hb3pi2cveh5tt",
    "SCALR_WORKSPACE_NAME": "network",
}
_FACTS = {
    "vendor": "scalr",
    "pipeline": "ws-v0o9hb3pi2cveh5tt",
    "pipeline_name": "network",
    "execution_id": "run-v0o9he4gi5m5jd6qn",
}
SAMPLES = [
    Sample(
        "from the repository",
        {
            **_RUN,
            "SCALR_RUN_SOURCE": "vcs",
            "SCALR_RUN_VCS_BRANCH": "main",
            "SCALR_RUN_VCS_COMMIT": "e59f09e",
        },
        Build(**_FACTS, trigger_type="vcs", branch="main", sha="e59f09e"),
    ),
    Sample(
        "from the page",
        {
            **_RUN,
            "SCALR_RUN_SOURCE": "ui",
            "SCALR_RUN_VCS_BRANCH": "",
            "SCALR_RUN_VCS_COMMIT": "",
        },
        Build(**_FACTS, trigger_type="manual"),
    ),
    Sample(
        "schedule",
        {**_RUN, "SCALR_RUN_SOURCE": "schedule"},
        Build(**_FACTS, trigger_type="schedule"),
    ),
    Sample(
        "after another run",
        {**_RUN, "SCALR_RUN_SOURCE": "run-trigger"},
        Build(**_FACTS, trigger_type="upstream"),
    ),
]
