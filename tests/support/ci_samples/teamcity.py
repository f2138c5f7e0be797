"""A job's environment, as documented at the links in tfevents/context/ci/teamcity.py."""

from support.ci_samples.sample import Sample

from tfevents.context.ci import Build

_SYSTEM, _PARAMETERS = "/opt/agent/temp/teamcity.build1.properties", "C:\\agent\\config.properties"
_JOB = {
    "TEAMCITY_VERSION": "2023.05 (build 129203)",
    "TEAMCITY_PROJECT_NAME": "Infra",
    "TEAMCITY_BUILDCONF_NAME": "Plan the network",
    "TEAMCITY_BUILD_PROPERTIES_FILE": _SYSTEM,
    "BUILD_NUMBER": "27",
    "BUILD_URL": "https://teamcity.example.com/build/8311",
    "BUILD_VCS_NUMBER": "ce9a3c1404e8c91be604088670e93434c4253f03",
}
_FILE = (
    b"#TeamCity build properties without 'system.' prefix\n"
    b"teamcity.auth.password=secret\n"
    b"teamcity.build.id=8311\n"
    b"teamcity.buildType.id=Infra_Network\n"
    b"teamcity.configuration.properties.file=C\\:\\\\agent\\\\config.properties\n"
)
_FACTS = {
    "vendor": "teamcity",
    "pipeline": "Infra_Network",
    "pipeline_name": "Plan the network",
    "execution_id": "8311",
    "execution_number": "27",
    "sha": "ce9a3c1404e8c91be604088670e93434c4253f03",
    "url": "https://teamcity.example.com/build/8311",
}
SAMPLES = [
    Sample(
        "started by a user",
        _JOB,
        Build(
            **_FACTS,
            trigger_type="manual",
            branch="feature/wider",
            repository="https://github.com/acme/infra.git",
            actor="j\u00f6rg",
        ),
        {
            _SYSTEM: _FILE,
            _PARAMETERS: b"teamcity.build.branch=refs/heads/feature/wider\n"
            b"teamcity.build.triggeredBy.username=j\\u00F6rg\n"
            b"vcsroot.url=https\\://someone\\:token@github.com/acme/infra.git\n",
        },
    ),
    Sample(
        "pull request of a fork",
        _JOB,
        Build(
            **_FACTS,
            trigger_type="pull_request",
            repository="git@github.com:acme/infra.git",
            pull_request="24",
        ),
        {
            _SYSTEM: _FILE,
            _PARAMETERS: b"teamcity.build.branch=24\n"
            b"teamcity.pullRequest.number=24\n"
            b"teamcity.pullRequest.target.branch=refs/heads/main\n"
            b"vcsroot.url=git@github.com\\:acme/infra.git\n",
        },
    ),
    Sample(
        "pull request from the same repository",
        _JOB,
        Build(**_FACTS, trigger_type="pull_request", branch="wider", pull_request="24"),
        {
            _SYSTEM: _FILE,
            _PARAMETERS: b"teamcity.build.branch=pull/24\nteamcity.pullRequest.number=24\n"
            b"teamcity.pullRequest.source.branch=refs/heads/wider\n",
        },
    ),
    Sample(
        "a build that calls Jenkins",
        {**_JOB, "JENKINS_URL": "https://jenkins.example.com/"},
        Build(**_FACTS),
        {_SYSTEM: _FILE},
    ),
    Sample(
        "default branch",
        _JOB,
        Build(**_FACTS),
        {_SYSTEM: _FILE, _PARAMETERS: b"teamcity.build.branch=<default>\n"},
    ),
    Sample(
        "default branch, whose name its VCS root tells",
        _JOB,
        Build(**_FACTS, branch="main"),
        {
            _SYSTEM: _FILE,
            _PARAMETERS: b"teamcity.build.branch=<default>\n"
            b"teamcity.build.branch.is_default=true\n"
            b"teamcity.build.vcs.branch.Infra_Git=refs/heads/main\n",
        },
    ),
    Sample(
        "two VCS roots that differ",
        {**_JOB, "BUILD_VCS_NUMBER": "", "BUILD_VCS_NUMBER_Infra_Git": "ce9a3c1"},
        Build(**{**_FACTS, "sha": None}),
        {
            _SYSTEM: _FILE,
            _PARAMETERS: b"teamcity.build.vcs.branch.Infra_Git=refs/heads/main\n"
            b"teamcity.build.vcs.branch.Infra_Modules=refs/heads/trunk\n",
        },
    ),
    Sample(
        "pull request's own ref",
        _JOB,
        Build(**_FACTS, trigger_type="pull_request", pull_request="24"),
        {
            _SYSTEM: _FILE,
            _PARAMETERS: b"teamcity.build.branch=24\nteamcity.pullRequest.number=24\n"
            b"teamcity.build.vcs.branch.Infra_Git=refs/pull/24/head\n",
        },
    ),
    Sample(
        "without its files",
        _JOB,
        Build(**{**_FACTS, "pipeline": "Plan the network", "execution_id": None}),
    ),
]
