"""A job's environment, as documented at the links in tfevents/context/ci/codefresh.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_SHA = "6e5f3f0c1a8b4f7d9c2e1b0a7d6c5e4f3a2b1c0d"
_JOB = {
    "CF_BUILD_ID": "5f61edf34a4a9c3b8f8c9c1a",
    "CF_BUILD_URL": "https://g.codefresh.io/build/5f61edf34a4a9c3b8f8c9c1a",
    "CF_BUILD_INITIATOR": "octocat",
    "CF_BUILD_TRIGGER": "webhook",
    "CF_PIPELINE_NAME": "infra/network",
    "CF_REPO_OWNER": "acme",
    "CF_REPO_NAME": "infra",
    "CF_BRANCH": "main",
    "CF_REVISION": _SHA,
    "CF_COMMIT_MESSAGE": "Widen the \\'subnets\\' and say \\\"hello\\\"",
    "CF_COMMIT_URL": f"https://github.com/acme/infra/commit/{_SHA}",
}
_FACTS = {
    "vendor": "codefresh",
    "pipeline": "infra/network",
    "pipeline_name": "infra/network",
    "execution_id": "5f61edf34a4a9c3b8f8c9c1a",
    "sha": _SHA,
    "message": "Widen the 'subnets' and say \"hello\"",
    "repository": "https://github.com/acme/infra",
    "actor": "octocat",
    "url": "https://g.codefresh.io/build/5f61edf34a4a9c3b8f8c9c1a",
}
SAMPLES = [
    Sample("push", _JOB, Build(**_FACTS, trigger_type="push", branch="main")),
    Sample(
        "fork's pull request",
        {
            **_JOB,
            "CF_BRANCH": "wider",
            "CF_PULL_REQUEST_ACTION": "opened",
            "CF_PULL_REQUEST_ID": "712345678",
            "CF_PULL_REQUEST_NUMBER": "17",
            "CF_PULL_REQUEST_TARGET": "main",
            "CF_COMMIT_URL": f"https://github.com/someone/infra/commit/{_SHA}",
        },
        Build(
            **{**_FACTS, "repository": None},
            trigger_type="pull_request",
            branch="wider",
            pull_request="17",
        ),
    ),
    Sample(
        "merged pull request",
        {
            **_JOB,
            "CF_PULL_REQUEST_ACTION": "closed",
            "CF_PULL_REQUEST_NUMBER": "17",
            "CF_PULL_REQUEST_TARGET": "main",
            "CF_PULL_REQUEST_MERGED": "true",
            "CF_PULL_REQUEST_HEAD_BRANCH": "wider",
            "CF_PULL_REQUEST_HEAD_COMMIT_SHA": "0123456789abcdef0123456789abcdef01234567",
            "CF_PULL_REQUEST_MERGED_COMMIT_SHA": _SHA,
        },
        Build(
            **{**_FACTS, "sha": "0123456789abcdef0123456789abcdef01234567", "message": None},
            trigger_type="pull_request",
            branch="wider",
            pull_request="17",
        ),
    ),
    Sample(
        "release of a tag",
        {**_JOB, "CF_BRANCH": "v1", "CF_RELEASE_TAG": "v1", "CF_RELEASE_NAME": "One"},
        Build(**_FACTS, trigger_type="tag", tag="v1"),
    ),
    Sample(
        "manual, GitLab",
        {
            **_JOB,
            "CF_BUILD_TRIGGER": "build",
            "CF_COMMIT_URL": f"https://gitlab.com/acme/infra/-/commit/{_SHA}",
        },
        Build(
            **{**_FACTS, "repository": "https://gitlab.com/acme/infra"},
            trigger_type="manual",
            branch="main",
        ),
    ),
]
