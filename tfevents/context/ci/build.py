"""Defines a build, the facts about this CI job, and the interface of a vendor's module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct


class Build(Struct, frozen=True):
    """One job of a CI vendor; None for each fact that the vendor does not provide.

    `sha` is the head commit of the branch, `message` the message of exactly that commit.
    `merge_commit` is set instead of `sha` if the vendor gives only its temporary merge commit of a
    pull request. The head is then the second parent, if git knows it, else the merge commit.
    `tag`: set if a tag was built; there is no branch then, and git must not be asked for one.
    `chooses_checkout`: the job itself chooses what it checks out; `branch` and `sha` are only the
    default.
    """

    vendor: str | None = None
    pipeline: str | None = None
    pipeline_name: str | None = None
    execution_id: str | None = None
    execution_number: str | None = None
    stage_id: str | None = None
    branch: str | None = None
    tag: str | None = None
    sha: str | None = None
    merge_commit: str | None = None
    message: str | None = None
    repository: str | None = None
    trigger_type: str | None = None
    actor: str | None = None
    url: str | None = None
    pull_request: str | None = None
    chooses_checkout: bool = False

    def trigger(self) -> dict[str, str]:
        """The contract's `trigger`: vendor, type, actor, url and pull_request, each if known."""
        facts = {
            "vendor": self.vendor,
            "type": self.trigger_type,
            "actor": self.actor,
            "url": self.url,
            "pull_request": self.pull_request,
        }
        return {name: value for name, value in facts.items() if value}


class Vendor(Protocol):
    """A vendor's module. It reads only the environment and the `read_file` that it is given."""

    def claims(self, env: Mapping[str, str]) -> bool:
        """Whether this is the environment of a job of this vendor."""

    def read_build(self, env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
        """The job's build, with the vendor's values unchanged: the caller sanitizes them."""
