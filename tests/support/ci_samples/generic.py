"""Samples of a CI that is not named; only these variables are documented."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

SAMPLES = [
    Sample("CI=true", {"CI": "true"}, Build(vendor="ci")),
    Sample("CI=1", {"CI": "1", "BUILD_ID": "7", "GIT_BRANCH": "main"}, Build(vendor="ci")),
]
