"""The CI job below a host that is only a step of it: Digger's and Terrateam's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType

from tfevents.context.ci import azure, bitbucket, forgejo, gitea, github, gitlab
from tfevents.context.ci.build import Build
from tfevents.record import replace

_VENDORS: tuple[ModuleType, ...] = (forgejo, gitea, github, gitlab, bitbucket, azure)


def read(env: Mapping[str, str], read_file: Callable[[str], bytes | None], vendor: str) -> Build:
    """What the job says, in the name of the host `vendor`."""
    for below in _VENDORS:
        if below.claims(env):
            said: Build = below.read(env, read_file)
            return replace(said, vendor=vendor)
    return Build(vendor=vendor)
