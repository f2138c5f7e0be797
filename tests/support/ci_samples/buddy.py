"""A job's environment, as documented at the links in tfevents/context/ci/buddy.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_SHA = "e5e13f8b7f8d5c6096a0501dc09b48eef05fea96"
_PAGE = "https://app.buddy.works/myworkspace/my-project/pipelines/pipeline/1/execution/5d9dc42c"
_JOB = {
    "CI": "true",
    "BUDDY": "true",
    "BUDDY_WORKSPACE_ID": "1",
    "BUDDY_PIPELINE_ID": "1",
    "BUDDY_PIPELINE_NAME": "Deploy to Production",
    "BUDDY_INVOKER_NAME": "Mike Benson",
    "BUDDY_SCM_URL": "https://github.com/buddyworks/my-project",
    "BUDDY_REPO_SSH_URL": "git@github.com:buddyworks/my-project",
    "BUDDY_EXECUTION_ID": "12",
    "BUDDY_EXECUTION_BRANCH": "main",
    "BUDDY_EXECUTION_REVISION": _SHA,
    "BUDDY_EXECUTION_REVISION_MESSAGE": "Create buddy.yml",
    "BUDDY_EXECUTION_URL": _PAGE,
}
_FACTS = {
    "vendor": "buddy",
    "pipeline": "1",
    "pipeline_name": "Deploy to Production",
    "execution_id": "12",
    "sha": _SHA,
    "message": "Create buddy.yml",
    "repository": "https://github.com/buddyworks/my-project",
    "actor": "Mike Benson",
    "url": _PAGE,
}
SAMPLES = [
    Sample("branch", _JOB, Build(**_FACTS, branch="main")),
    Sample(
        "branch, newer names",
        {
            "BUDDY": "true",
            "BUDDY_PIPELINE_ID": "1",
            "BUDDY_PIPELINE_NAME": "Deploy to Production",
            "BUDDY_ACTION_RUN_HASH": "68f1edd1def5c92bcd57c",
            "BUDDY_RUN_ID": "12",
            "BUDDY_RUN_BRANCH": "main",
            "BUDDY_RUN_COMMIT": _SHA,
            "BUDDY_RUN_COMMIT_MESSAGE": "Create buddy.yml",
            "BUDDY_RUN_URL": _PAGE,
            "BUDDY_REPO_SSH_URL": "git@github.com:buddyworks/my-project",
        },
        Build(
            **{
                **_FACTS,
                "stage_id": "68f1edd1def5c92bcd57c",
                "repository": "git@github.com:buddyworks/my-project",
                "actor": None,
            },
            branch="main",
        ),
    ),
    Sample(
        "pull request",
        {
            **_JOB,
            "BUDDY_EXECUTION_BRANCH": "main",
            "BUDDY_EXECUTION_PULL_REQUEST_BASE_BRANCH": "main",
            "BUDDY_EXECUTION_PULL_REQUEST_HEAD_BRANCH": "feature/pr-branch",
            "BUDDY_EXECUTION_PULL_REQUEST_ID": "pull/1",
            "BUDDY_EXECUTION_PULL_REQUEST_NO": "1",
        },
        Build(**_FACTS, trigger_type="pull_request", branch="feature/pr-branch", pull_request="1"),
    ),
    Sample(
        "pull request with its id alone",
        {
            **_JOB,
            "BUDDY_EXECUTION_PULL_REQUEST_HEAD_BRANCH": "feature/pr-branch",
            "BUDDY_EXECUTION_PULL_REQUEST_ID": "pull/17",
        },
        Build(**_FACTS, trigger_type="pull_request", branch="feature/pr-branch", pull_request="17"),
    ),
    Sample(
        "pull request, newer names",
        {
            **{name.replace("EXECUTION", "RUN"): value for name, value in _JOB.items()},
            "BUDDY_RUN_COMMIT": _SHA,
            "BUDDY_RUN_COMMIT_MESSAGE": "Create buddy.yml",
            "BUDDY_RUN_PR_HEAD_BRANCH": "feature/pr-branch",
            "BUDDY_RUN_PR_ID": "pull/17",
        },
        Build(**_FACTS, trigger_type="pull_request", branch="feature/pr-branch", pull_request="17"),
    ),
    Sample(
        "tag",
        {**_JOB, "BUDDY_EXECUTION_BRANCH": "", "BUDDY_EXECUTION_TAG": "v1.0"},
        Build(**_FACTS, trigger_type="tag", tag="v1.0"),
    ),
]
