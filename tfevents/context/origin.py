"""Where and why a run happened: git, CI and overrides → the contract's metadata."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from tfevents import files, text
from tfevents.context import ci, git
from tfevents.context.ci.build import Build
from tfevents.context.git import Checkout
from tfevents.errors import SettingError
from tfevents.events.table import MESSAGE
from tfevents.terraform.workdir import find_copy_root

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` is slow to wake
    from typing import Any

OVERRIDE = "TFEVENTS_METADATA_"
LARGEST_EVENT_FILE = 8 << 20


class Origin(Struct, frozen=True):
    """What is known of a run before it begins."""

    metadata: Mapping[str, Any]
    directory: str
    """Relative to the git root, else the directory's own name: no machine's paths are sent."""


def find(directory: str, env: Mapping[str, str]) -> Origin:
    """The origin of a run in `directory`."""
    build = ci.find_build(env, read_file) or Build()
    checkout = git.look(directory, env)
    metadata = {**_git(build, checkout, directory, env), **_pipeline(build)}
    return Origin(
        {name: value for name, value in metadata.items() if value},
        relative(directory, checkout.root or find_copy_root(directory, env)),
    )


def read_file(path: str) -> bytes | None:
    """A CI's event file; None where it can't be read."""
    try:
        return files.read(path, LARGEST_EVENT_FILE)
    except OSError:
        return None


def relative(directory: str, root: str | None) -> str:
    """A directory as the team knows it; "" where its name is no text to be sent."""
    real = os.path.realpath(directory)
    name = os.path.relpath(real, os.path.realpath(root)) if root else os.path.basename(real)
    return text.clean(name) or ""


def _git(
    build: Build, checkout: Checkout, directory: str, env: Mapping[str, str]
) -> dict[str, str | None]:
    """CI's word before git's, but for a message: git has every commit's own."""
    if build.chooses and checkout.sha:
        build = replace(build, branch=None, sha=None)
    sha = _head(build, checkout, directory, env)
    here = sha == checkout.sha
    message = checkout.message if here else git.message_of(directory, sha or "", env)
    told = build.message if build.sha in (None, sha) else None
    repository = build.repository or checkout.repository
    return {
        "git_branch": build.branch or (None if build.tag else _branch(checkout)),
        "git_commit_sha": sha,
        "git_commit_message": message or told,
        "git_repo": ci.sanitize_address(repository),
    }


def _branch(checkout: Checkout) -> str | None:
    """Never a merge queue's own."""
    return ci.sanitize_branch(checkout.branch) if checkout.branch else None


def _head(build: Build, checkout: Checkout, directory: str, env: Mapping[str, str]) -> str | None:
    """Of a temporary merge of a pull request, its second parent; else what ran."""
    ran = _whole(build.sha or build.merge_commit, checkout.sha)
    if ran is None or ran != checkout.sha or not (build.merge_commit or build.pull_request):
        return ran
    parents = git.parents_of(directory, ran, env)
    if len(parents) != 2:
        return ran
    temporary = build.merge_commit is not None or _merges(checkout.message or "", *parents)
    return parents[1] if temporary else ran


def _whole(told: str | None, here: str | None) -> str | None:
    """A hash as git has it, where a vendor (Scalr) has shortened it."""
    return here if here and here.startswith((told or "").lower()) else told


def _merges(message: str, base: str, head: str) -> bool:
    """Is it a merge that nobody has written: git's on a detached head, as Jenkins makes it, or
    GitHub's `refs/pull/<number>/merge`? A person's merge into a pull request names a branch."""
    subject, _, _ = message.partition("\n")
    return subject in (f"Merge commit '{head}' into HEAD", f"Merge {head} into {base}")


def _pipeline(build: Build) -> dict[str, Any]:
    return {
        "pipeline": build.pipeline,
        "pipeline_name": build.pipeline_name,
        "pipeline_execution_id": build.execution_id,
        "pipeline_execution_number": build.execution_number,
        "pipeline_stage_id": build.stage_id,
        "trigger": build.trigger(),
    }


def overrides(env: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """TFEVENTS_METADATA_<FIELD>: the last word on every field of the contract.

    Texts are cleaned as everybody's; counts, numbers, booleans and the trigger are JSON. Raises
    SettingError.
    """
    found, wrong = gather_overrides(env, schema)
    if wrong:
        raise wrong[0]
    return found


def gather_overrides(
    env: Mapping[str, str], schema: Mapping[str, Any]
) -> tuple[dict[str, Any], list[SettingError]]:
    """The same, with those that can't be used beside the others."""
    fields = {name.upper(): name for name in schema}
    found, wrong = {}, []
    for variable, value in env.items():
        if variable.startswith(OVERRIDE) and value.strip():
            try:
                name = fields.get(variable.removeprefix(OVERRIDE))
                if name is None:
                    raise SettingError(f"{variable}: the contract has no such metadata field")
                found[name] = _override(variable, value.strip(), schema[name], name)
            except SettingError as error:
                wrong.append(error)
    return found, wrong


def _override(variable: str, value: str, kind: Mapping[str, Any], name: str) -> Any:
    if len(value.encode(errors="replace")) > text.MESSAGE_BYTES:
        raise SettingError(f"{variable}: at most {text.MESSAGE_BYTES} bytes, please")
    if name == "git_repo":
        return _address(variable, value)
    if name == "git_commit_sha":
        return _sha(variable, value)
    if kind.get("type") == "string":
        return _text(variable, value, name)
    try:
        found = json.loads(value, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise SettingError(f"{variable}: this takes JSON, for example true or {{}}") from None
    if isinstance(found, dict) and isinstance(found.get("url"), str):
        found["url"] = _address(variable, found["url"])
    return found


def _text(variable: str, value: str, name: str) -> str | None:
    """One line, but for a commit's message; None where nothing of it can be shown."""
    if name == MESSAGE:
        return text.clean_message(value)
    if len(value.encode(errors="replace")) > text.VALUE_BYTES:
        raise SettingError(f"{variable}: at most {text.VALUE_BYTES} bytes, please")
    return text.clean(value)


def _sha(variable: str, value: str) -> str:
    sha = text.clean_sha(value)
    if sha is None:
        raise SettingError(f"{variable}: this takes a commit's hash, in hexadecimal")
    return sha


def _address(variable: str, value: str) -> str:
    address = ci.sanitize_address(value)
    if address is None:
        raise SettingError(f"{variable}: this takes an address that names a host")
    return address


def _refuse(constant: str) -> None:
    """NaN and Infinity are no JSON."""
    raise ValueError(constant)
