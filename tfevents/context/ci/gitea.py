"""Gitea Actions: GitHub's variables and GITEA_ACTIONS.

https://docs.gitea.com/usage/actions/comparison
https://gitea.com/gitea/act_runner/src/branch/main/internal/app/run/runner.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from tfevents.context.ci import github
from tfevents.context.ci.build import Build


def claims(env: Mapping[str, str]) -> bool:
    return env.get("GITEA_ACTIONS") == "true"


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    """As GitHub's, but without a run's page: the address is undocumented and differs by release."""
    return replace(github.read_build(env, read_file), vendor="gitea", url=None)
