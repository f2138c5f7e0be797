"""Gitea Actions: GitHub's variables with Gitea's marker.

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
    """The address of a run differs between Gitea's releases and is documented for none."""
    return replace(github.read_build(env, read_file), vendor="gitea", url=None)
