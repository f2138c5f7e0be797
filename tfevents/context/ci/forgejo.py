"""Forgejo Actions: GitHub's variables, with FORGEJO_ACTIONS beside the older GITEA_ACTIONS.

https://forgejo.org/docs/latest/user/actions/reference/
https://code.forgejo.org/forgejo/runner/src/branch/main/internal/app/run/runner.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from tfevents.context.ci import github
from tfevents.context.ci.build import Build


def claims(env: Mapping[str, str]) -> bool:
    return env.get("FORGEJO_ACTIONS") == "true"


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    """As GitHub's, but a run's page has its number, not its id (`ActionRun.Link` in its source)."""
    build = github.read_build(env, read_file)
    number = build.execution_number
    page = f"{build.repository}/actions/runs/{number}" if build.repository and number else None
    return replace(build, vendor="forgejo", url=page)
