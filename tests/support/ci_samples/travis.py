"""A job's environment, as documented at the links in tfevents/context/ci/travis.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_SHA = "6e5f3f0c1a8b4f7d9c2e1b0a7d6c5e4f3a2b1c0d"
_HEAD = "0123456789abcdef0123456789abcdef01234567"
_JOB = {
    "CI": "true",
    "TRAVIS": "true",
    "CONTINUOUS_INTEGRATION": "true",
    "TRAVIS_BRANCH": "main",
    "TRAVIS_BUILD_ID": "270914",
    "TRAVIS_BUILD_NUMBER": "4",
    "TRAVIS_BUILD_WEB_URL": "https://app.travis-ci.com/acme/infra/builds/270914",
    "TRAVIS_COMMIT": _SHA,
    "TRAVIS_COMMIT_MESSAGE": "Widen the subnets",
    "TRAVIS_EVENT_TYPE": "push",
    "TRAVIS_JOB_ID": "270915",
    "TRAVIS_JOB_NUMBER": "4.1",
    "TRAVIS_PULL_REQUEST": "false",
    "TRAVIS_PULL_REQUEST_BRANCH": "",
    "TRAVIS_PULL_REQUEST_SHA": "",
    "TRAVIS_REPO_SLUG": "acme/infra",
    "TRAVIS_TAG": "",
}
_FACTS = {
    "vendor": "travis",
    "pipeline": "acme/infra",
    "pipeline_name": "acme/infra",
    "execution_id": "270914",
    "execution_number": "4",
    "stage_id": "270915",
    "url": "https://app.travis-ci.com/acme/infra/builds/270914",
}
_COMMIT = {"sha": _SHA, "message": "Widen the subnets"}
_PULL_REQUEST = {
    **_JOB,
    "TRAVIS_COMMIT_MESSAGE": "Merge 0123456 into 89abcde",
    "TRAVIS_EVENT_TYPE": "pull_request",
    "TRAVIS_PULL_REQUEST": "17",
    "TRAVIS_PULL_REQUEST_BRANCH": "wider",
    "TRAVIS_PULL_REQUEST_SHA": _HEAD,
    "TRAVIS_PULL_REQUEST_SLUG": "someone/infra",
}
SAMPLES = [
    Sample("push", _JOB, Build(**_FACTS, **_COMMIT, trigger_type="push", branch="main")),
    Sample(
        "fork's pull request",
        _PULL_REQUEST,
        Build(**_FACTS, trigger_type="pull_request", branch="wider", sha=_HEAD, pull_request="17"),
    ),
    Sample(
        "pull request without its head",
        {**_PULL_REQUEST, "TRAVIS_PULL_REQUEST_SHA": ""},
        Build(
            **_FACTS,
            trigger_type="pull_request",
            branch="wider",
            merge_commit=_SHA,
            pull_request="17",
        ),
    ),
    Sample(
        "pull request whose number is not told",
        {
            name: value
            for name, value in _PULL_REQUEST.items()
            if name not in ("TRAVIS_PULL_REQUEST", "TRAVIS_EVENT_TYPE")
        },
        Build(**_FACTS, trigger_type="pull_request", branch="wider", sha=_HEAD),
    ),
    Sample(
        "push that is said to be no pull request, whatever else is left over",
        {**_JOB, "TRAVIS_PULL_REQUEST_BRANCH": "wider", "TRAVIS_PULL_REQUEST_SHA": _HEAD},
        Build(**_FACTS, **_COMMIT, trigger_type="push", branch="main"),
    ),
    Sample(
        "tag",
        {**_JOB, "TRAVIS_BRANCH": "v1.0", "TRAVIS_TAG": "v1.0"},
        Build(**_FACTS, **_COMMIT, trigger_type="tag", tag="v1.0"),
    ),
    Sample(
        "cron",
        {**_JOB, "TRAVIS_EVENT_TYPE": "cron"},
        Build(**_FACTS, **_COMMIT, trigger_type="schedule", branch="main"),
    ),
    Sample(
        "api",
        {**_JOB, "TRAVIS_EVENT_TYPE": "api"},
        Build(**_FACTS, **_COMMIT, trigger_type="api", branch="main"),
    ),
]
