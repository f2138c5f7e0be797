"""The CI job in which a host runs that is only a step of it, as Digger and Terrateam are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from tfevents.context.ci import azure, bitbucket, forgejo, gitea, github, gitlab
from tfevents.context.ci.build import Build, Vendor

_VENDORS: tuple[Vendor, ...] = (forgejo, gitea, github, gitlab, bitbucket, azure)


def read_parent_job(
    env: Mapping[str, str], read_file: Callable[[str], bytes | None], vendor: str
) -> Build:
    """What the job says, in the name of the host `vendor`; no more than that name outside of CI."""
    for parent in _VENDORS:
        if parent.claims(env):
            return replace(parent.read_build(env, read_file), vendor=vendor)
    return Build(vendor=vendor)
