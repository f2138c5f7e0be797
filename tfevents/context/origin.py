"""Describes where and why a run happened, from git and CI, as the contract's metadata."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tfevents import files, text
from tfevents.context import ci, git
from tfevents.context.ci.build import Build
from tfevents.context.git import Checkout
from tfevents.terraform.workdir import find_copy_root

LARGEST_EVENT_FILE = 8 << 20


class Origin(Struct, frozen=True):
    """What is known of a run before it begins. `metadata`: under the contract's field names."""

    metadata: Mapping[str, Any]
    directory: str
    """Relative to the git root, or only its name without one: absolute paths are not sent."""


def find_origin(directory: str, env: Mapping[str, str]) -> Origin:
    """The origin of a run in `directory`; metadata that neither git nor CI knows is left out."""
    build = ci.find_build(env, read_event_file) or Build()
    checkout = git.find_checkout(directory, env)
    metadata = {
        **_describe_git(build, checkout, directory, env),
        **_describe_pipeline(build),
    }
    return Origin(
        {name: value for name, value in metadata.items() if value},
        make_relative(directory, checkout.root or find_copy_root(directory, env)),
    )


def read_event_file(path: str) -> bytes | None:
    """The bytes of a CI vendor's event file; None if it can't be read or is too large."""
    try:
        return files.read_untrusted(path, LARGEST_EVENT_FILE)
    except OSError:
        return None


def make_relative(directory: str, root: str | None) -> str:
    """The path of `directory` relative to `root`, or its name without one.

    Empty if the path can't be sent, for example because it is too long.
    """
    real = os.path.realpath(directory)
    name = os.path.relpath(real, os.path.realpath(root)) if root else os.path.basename(real)
    return text.clean(name) or ""


def _describe_git(
    build: Build, checkout: Checkout, directory: str, env: Mapping[str, str]
) -> dict[str, str | None]:
    """The git metadata. CI's values take precedence over git's, except for the commit message.

    Branch and commit are git's, too, where the job itself chooses its checkout
    (`Build.chooses_checkout`).
    """
    if build.chooses_checkout and checkout.sha:
        build = replace(build, branch=None, sha=None)
    sha = _find_head(build, checkout, directory, env)
    is_checked_out = sha == checkout.sha
    message = checkout.message if is_checked_out else git.find_message(directory, sha or "", env)
    build_message = build.message if build.sha in (None, sha) else None
    repository = build.repository or checkout.repository
    return {
        "git_branch": build.branch or (None if build.tag else _find_branch(checkout)),
        "git_commit_sha": sha,
        "git_commit_message": message or build_message,
        "git_repo": ci.sanitize_address(repository),
    }


def _find_branch(checkout: Checkout) -> str | None:
    """The checked out branch; None for the temporary branch of a merge or merge queue."""
    return ci.sanitize_branch(checkout.branch) if checkout.branch else None


def _find_head(
    build: Build, checkout: Checkout, directory: str, env: Mapping[str, str]
) -> str | None:
    """The commit that ran; the second parent of a temporary merge that CI made of a pull request.

    Such a merge is only recognised if it is checked out.
    """
    ran = _complete_sha(build.sha or build.merge_commit, checkout.sha)
    if ran is None or ran != checkout.sha or not (build.merge_commit or build.pull_request):
        return ran
    parents = git.find_parents(directory, ran, env)
    if len(parents) != 2:
        return ran
    temporary = build.merge_commit is not None or _is_ci_merge(checkout.message or "", *parents)
    return parents[1] if temporary else ran


def _complete_sha(sha: str | None, checked_out: str | None) -> str | None:
    """The hash `checked_out` if a vendor gives none or shortens it (Scalr); else `sha`."""
    return checked_out if checked_out and checked_out.startswith((sha or "").lower()) else sha


def _is_ci_merge(message: str, base: str, head: str) -> bool:
    """Whether a commit message is that of a temporary merge that CI made.

    That is git's message for a merge on a detached HEAD (Jenkins), or that of GitHub's
    `refs/pull/<number>/merge`. A person's merge into a pull request names a branch instead.
    """
    subject, _, _ = message.partition("\n")
    return subject in (f"Merge commit '{head}' into HEAD", f"Merge {head} into {base}")


def _describe_pipeline(build: Build) -> dict[str, Any]:
    return {
        "pipeline": build.pipeline,
        "pipeline_name": build.pipeline_name,
        "pipeline_execution_id": build.execution_id,
        "pipeline_execution_number": build.execution_number,
        "pipeline_stage_id": build.stage_id,
        "trigger": build.trigger(),
    }
