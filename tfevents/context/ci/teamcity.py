"""TeamCity: its few variables, and the two properties files that it writes for each build.

https://www.jetbrains.com/help/teamcity/predefined-build-parameters.html
https://www.jetbrains.com/help/teamcity/pull-requests.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci._properties import parse_properties
from tfevents.context.ci.build import Build


def claims(env: Mapping[str, str]) -> bool:
    return bool(env.get("TEAMCITY_VERSION"))


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    system, parameters = _read_properties(env, read_file)
    pull_request = parameters.get("teamcity.pullRequest.number")
    user = parameters.get("teamcity.build.triggeredBy.username")
    source, branch = "teamcity.pullRequest.source.branch", "teamcity.build.branch"
    started = "manual" if user else None
    return Build(
        vendor="teamcity",
        pipeline=system.get("teamcity.buildType.id") or env.get("TEAMCITY_BUILDCONF_NAME"),
        pipeline_name=env.get("TEAMCITY_BUILDCONF_NAME"),
        execution_id=system.get("teamcity.build.id"),
        execution_number=env.get("BUILD_NUMBER"),
        branch=parameters.get(source)
        or _without_placeholder(parameters.get(branch, ""), pull_request)
        or _find_common_value(parameters, "teamcity.build.vcs.branch."),
        sha=env.get("BUILD_VCS_NUMBER"),
        repository=parameters.get("vcsroot.url"),
        trigger_type="pull_request" if pull_request else started,
        actor=user,
        url=env.get("BUILD_URL"),
        pull_request=pull_request,
    )


def _read_properties(
    env: Mapping[str, str], read_file: Callable[[str], bytes | None]
) -> tuple[dict[str, str], dict[str, str]]:
    """(system properties, parameters), the latter from the file that a system property names.

    System properties are named without `system.`.
    """
    path = env.get("TEAMCITY_BUILD_PROPERTIES_FILE")
    system = parse_properties(read_file(path)) if path else {}
    parameters = system.get("teamcity.configuration.properties.file")
    return system, parse_properties(read_file(parameters)) if parameters else {}


def _without_placeholder(branch: str, pull_request: str | None) -> str | None:
    """The branch; None for `<default>` and for a pull request's number, which are no branches."""
    return None if branch in ("<default>", pull_request) else branch


def _find_common_value(parameters: dict[str, str], prefix: str) -> str | None:
    """The value of the parameters with `prefix`, one for each VCS root; None if they differ."""
    values = {value for name, value in parameters.items() if name.startswith(prefix)}
    return values.pop() if len(values) == 1 else None
