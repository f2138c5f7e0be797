"""A job's environment, as documented at the links in tfevents/context/ci/spacelift.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_RUN = {
    "TF_VAR_spacelift_account_name": "acme",
    "TF_VAR_spacelift_commit_branch": "feature/branch-name",
    "TF_VAR_spacelift_commit_sha": "0123456789abcdef0123456789abcdef01234567",
    "TF_VAR_spacelift_repository": "acme/infra",
    "TF_VAR_spacelift_run_id": "01JKZAHVAQHFM8CC3EA5HWRMP1",
    "TF_VAR_spacelift_run_state": "PLANNING",
    "TF_VAR_spacelift_run_trigger": "octocat",
    "TF_VAR_spacelift_run_type": "PROPOSED",
    "TF_VAR_spacelift_stack_branch": "main",
    "TF_VAR_spacelift_stack_id": "myfirststack",
}
_FACTS = {
    "vendor": "spacelift",
    "pipeline": "myfirststack",
    "pipeline_name": "myfirststack",
    "execution_id": "01JKZAHVAQHFM8CC3EA5HWRMP1",
    "branch": "feature/branch-name",
    "sha": "0123456789abcdef0123456789abcdef01234567",
}
SAMPLES = [
    Sample("proposed run", _RUN, Build(**_FACTS)),
    Sample(
        "local preview, without a commit",
        {**_RUN, "TF_VAR_spacelift_commit_sha": "", "TF_VAR_spacelift_commit_branch": ""},
        Build(**{**_FACTS, "branch": None, "sha": None}),
    ),
]
