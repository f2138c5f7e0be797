"""Removes from a vendor's values, field by field, what must not be sent."""

from __future__ import annotations

import re

from msgspec.structs import replace

from tfevents import text
from tfevents.addresses import redact_address
from tfevents.context.ci.build import Build

# Refs of merges, pull requests and merge queues, which are not branches that people work on.
_NO_BRANCH = (
    r"HEAD|refs/.*|pull/\d+(?:/(?:head|merge))?|pr/\d+/(?:head|merge)"
    r"|(?:merge|pull)-requests/\d+(?:/\w+)?"
    r"|(?:gh-readonly-queue|mergify/merge-queue|trunk-merge)/.*"
)


def sanitize_build(build: Build) -> Build:
    """`build` as it may be sent: every text is cleaned, empty ones become None."""
    return replace(
        build,
        pipeline=text.clean(build.pipeline),
        pipeline_name=text.clean(build.pipeline_name),
        execution_id=text.clean(build.execution_id),
        execution_number=text.clean(build.execution_number),
        stage_id=text.clean(build.stage_id),
        branch=None if text.clean(build.tag) else sanitize_branch(build.branch),
        tag=text.clean(build.tag),
        sha=text.clean_sha(build.sha),
        merge_commit=text.clean_sha(build.merge_commit),
        message=text.clean_message(build.message),
        repository=sanitize_address(build.repository),
        trigger_type=text.clean(build.trigger_type),
        actor=text.clean(build.actor),
        url=sanitize_address(build.url),
        pull_request=_clean_number(build.pull_request),
    )


def sanitize_branch(ref: str | None) -> str | None:
    """The branch that a ref names; None for `HEAD`, a tag, a merge ref or a merge queue."""
    name = (text.clean(ref) or "").removeprefix("refs/heads/")
    return None if not name or re.fullmatch(_NO_BRANCH, name) else name


def sanitize_address(value: str | None) -> str | None:
    """The address, cleaned and without user or secrets; None if it names no host."""
    address = text.clean(value)
    return redact_address(address) if address else None


def _clean_number(value: str | None) -> str | None:
    number = text.clean(value)
    return None if number in {"0", "false"} else number
