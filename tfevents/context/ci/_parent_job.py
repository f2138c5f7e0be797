"""Reads the build of the CI job in which a host such as Digger or Terrateam is a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from tfevents.context.ci import azure, bitbucket, forgejo, gitea, github, gitlab
from tfevents.context.ci.build import Build, Vendor

_VENDORS: tuple[Vendor, ...] = (forgejo, gitea, github, gitlab, bitbucket, azure)


def read_parent_job(
    env: Mapping[str, str], read_file: Callable[[str], bytes | None], vendor: str
) -> Build:
    """The job's build, with the host `vendor` as its vendor; only the vendor outside of CI."""
    for parent in _VENDORS:
        if parent.claims(env):
            return replace(parent.read_build(env, read_file), vendor=vendor)
    return Build(vendor=vendor)
