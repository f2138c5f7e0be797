"""What a CI vendor says about the job that runs us, and what a vendor's module is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct


class Build(Struct, frozen=True):
    """One job of one vendor; None where the vendor does not say.

    `sha` is the head commit of the branch, `message` the message of exactly that commit.
    `merge_commit` is set, and `sha` is not, where the vendor only names its own temporary merge
    of a pull request: the head is its second parent, which git may know; else it is what ran.
    `tag`: a tag was built, so there is no branch, and none must be asked from git.
    `chooses`: the job itself chooses what it checks out; `branch` and `sha` are only the default.
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
    chooses: bool = False

    def trigger(self) -> dict[str, str]:
        """The contract's `trigger`: vendor, type, actor, url, pull_request, where known."""
        facts = {
            "vendor": self.vendor,
            "type": self.trigger_type,
            "actor": self.actor,
            "url": self.url,
            "pull_request": self.pull_request,
        }
        return {name: value for name, value in facts.items() if value}


class Vendor(Protocol):
    """A vendor's module. It knows its own variables, and reads nothing but what it is given."""

    def claims(self, env: Mapping[str, str]) -> bool:
        """Whether this environment is a job of this vendor."""

    def read_build(self, env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
        """What the vendor says, as it says it: the caller sanitizes it."""
