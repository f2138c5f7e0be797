"""A job's environment, as documented at the links in tfevents/context/ci/hcp_terraform.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_RUN = {
    "TFC_RUN_ID": "run-CKuwsxMGgMd4W7Ui",
    "TFC_WORKSPACE_NAME": "prod-load-balancers",
    "TFC_WORKSPACE_SLUG": "acme-corp/prod-load-balancers",
    "TFC_PROJECT_NAME": "proj-name",
}
_FACTS = {
    "vendor": "hcp-terraform",
    "pipeline": "acme-corp/prod-load-balancers",
    "pipeline_name": "prod-load-balancers",
    "execution_id": "run-CKuwsxMGgMd4W7Ui",
}
_COMMIT = "TFC_CONFIGURATION_VERSION_GIT_COMMIT_SHA"
SAMPLES = [
    Sample(
        "from a branch",
        {
            **_RUN,
            "TFC_CONFIGURATION_VERSION_GIT_BRANCH": "main",
            _COMMIT: "ce9a3c1404e8c91be604088670e93434c4253f03",
        },
        Build(**_FACTS, branch="main", sha="ce9a3c1404e8c91be604088670e93434c4253f03"),
    ),
    Sample(
        "from a tag",
        {**_RUN, "TFC_CONFIGURATION_VERSION_GIT_TAG": "v0.1.0", _COMMIT: "abcd1234..."},
        Build(**_FACTS, tag="v0.1.0"),
    ),
    Sample("from the command line", _RUN, Build(**_FACTS)),
]
