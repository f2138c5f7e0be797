"""What a value from the environment must lose before it may leave the process."""

from __future__ import annotations

import re

from tfevents.ci.build import Build
from tfevents.ci.repository import without_credentials
from tfevents.record import replace

MESSAGE_BYTES = 4096
VALUE_BYTES = 2048
"""A longer value is no fact: cut, it would name something else."""

# CSI sequences, string sequences (title, link, …) up to their end, then any other escape.
_ESCAPE = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[PX\]^_]|[\x90\x98\x9d-\x9f])(?:[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c))?"
    r"|\x1b[ -/]*[0-~]?"
)
# C0, DEL, C1, line separators and what turns the direction of text around.
_CONTROL = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
_SPACING = r"[\t\n]+"
_NOT_BYTES = "[\ud800-\udc7f\udd00-\udfff]"
_SHA = r"[0-9a-fA-F]{7,64}"
# What stands for a merge or a merge queue, not for a branch that somebody works on.
_NO_BRANCH = (
    r"HEAD|refs/.*|pull/\d+(?:/(?:head|merge))?|pr/\d+/(?:head|merge)"
    r"|(?:merge|pull)-requests/\d+(?:/\w+)?"
    r"|(?:gh-readonly-queue|mergify/merge-queue|trunk-merge)/.*"
)


def clean(build: Build) -> Build:
    """`build` as it may be sent: every text cleaned, every empty one absent."""
    return replace(
        build,
        pipeline=text(build.pipeline),
        pipeline_name=text(build.pipeline_name),
        execution_id=text(build.execution_id),
        execution_number=text(build.execution_number),
        stage_id=text(build.stage_id),
        branch=None if text(build.tag) else branch_of(build.branch),
        tag=text(build.tag),
        sha=_sha(build.sha),
        merge_commit=_sha(build.merge_commit),
        message=message(build.message),
        repository=_address(build.repository),
        trigger_type=text(build.trigger_type),
        actor=text(build.actor),
        url=_address(build.url),
        pull_request=_number(build.pull_request),
    )


def text(value: str | None) -> str | None:
    """One line without escapes and control characters; absent when empty or past all bounds."""
    if not value:
        return None
    line = re.sub(_SPACING, " ", _printable(value)).strip()
    return line if line and len(line.encode()) <= VALUE_BYTES else None


def message(value: str | None) -> str | None:
    """As `text`, but keeps its lines and is cut at 4 KiB, between two characters."""
    if not value:
        return None
    lines = _printable(value).strip()
    return lines.encode()[:MESSAGE_BYTES].decode(errors="ignore").rstrip() or None


def branch_of(ref: str | None) -> str | None:
    """The branch that a ref names: never `HEAD`, a tag, a merge ref or a merge queue's."""
    name = (text(ref) or "").removeprefix("refs/heads/")
    return None if not name or re.fullmatch(_NO_BRANCH, name) else name


def _printable(value: str) -> str:
    """Without escapes and control characters; of broken UTF-8, what can be kept."""
    if not value.isascii():
        value = re.sub(_NOT_BYTES, "", value)
        value = value.encode(errors="surrogateescape").decode(errors="ignore")
    return re.sub(_CONTROL, "", re.sub(_ESCAPE, "", value))


def _sha(value: str | None) -> str | None:
    """A commit's hash, whole or shortened; `HEAD`, a changeset's number or zeros are none."""
    sha = text(value) or ""
    return sha if re.fullmatch(_SHA, sha) and sha.strip("0") else None


def _address(value: str | None) -> str | None:
    address = text(value)
    return without_credentials(address) if address else None


def _number(value: str | None) -> str | None:
    number = text(value)
    return None if number in {"0", "false"} else number
