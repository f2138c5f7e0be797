"""Counts the resources, outputs and drift in a plan file, plan JSON, state JSON or a state file."""

from __future__ import annotations

import io
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from msgspec import Struct

from tfevents.errors import ProvisionerNotFound, UnreadableDocument
from tfevents.readers.json import plan as planjson
from tfevents.readers.json import state
from tfevents.readers.json.documents import (
    EMPTY_STATE,
    PLAN_MEMBERS,
    check_version,
    cut_beginning,
    list_members,
)
from tfevents.readers.planfile import reader
from tfevents.readers.state_size import StateSize, measure_state_file
from tfevents.readers.streaming import PIECE, Cursor, Read, prepend, read_up_to
from tfevents.readers.utf8 import read_as_utf8
from tfevents.terraform.arguments import Mode
from tfevents.terraform.counts import (
    Counts,
    count_listed_drift,
    count_outputs,
    count_resources,
    filter_unknown_actions,
    find_unknown_actions,
    has_changes,
)
from tfevents.terraform.plan import Change, Plan
from tfevents.terraform.state import State

ZIP = b"PK\x03\x04"
HEAD_BYTES = 1 << 16
"""The first bytes of a file, which show whether it is an encrypted plan or a remote one."""

STATE_FILE = "4"
"""The `version` of state files, as text; no other one is supported."""

STATE_MEMBERS = frozenset({"serial", "lineage", "outputs", "resources", "check_results"})
"""Top-level members that only state files have."""

DISTINCTIVE = (PLAN_MEMBERS - EMPTY_STATE) | {"values"}
"""Members that tell a plan or a state from other JSON with a format_version."""

ACCEPTS = "count takes a plan file, or the JSON of `show -json` or `state pull`"
HAS_PROC_FD = os.path.isdir("/proc/self/fd")
"""Whether a file without a name can be opened by its file descriptor (Linux)."""

ShowPlan = Callable[[str, Mode | None], Plan | None]
"""A function that runs `show -json` on the plan file at a path; None if that fails.

Its second argument is the plan's mode, None if unknown. Raises ProvisionerNotFound if there is no
provisioner.
"""


class DocumentCounts(Struct, frozen=True):
    """The counts in a document; a field is None if documents of this kind do not have it."""

    resources: Counts
    outputs: Counts
    drift: Counts | None
    has_changes: bool | None
    errored: bool | None
    format_version: str
    terraform_version: str | None


def count_plan(plan: Plan) -> DocumentCounts:
    """The counts of a plan. Raises UnreadableDocument for an unknown action."""
    others = [output.actions for output in plan.outputs.values()]
    others += [entry.actions for entry in plan.drift or ()]
    if unknown := find_unknown_actions(plan) | filter_unknown_actions(others):
        names = ", ".join(sorted(unknown))[:100]
        raise UnreadableDocument(f"it has an unknown action {names!r}: update tfevents")
    return DocumentCounts(
        resources=count_resources(plan) or Counts(),
        outputs=count_outputs(plan) or Counts(),
        drift=None if plan.drift is None else count_listed_drift(plan.drift),
        has_changes=has_changes(plan),
        errored=plan.errored,
        format_version=plan.format_version,
        terraform_version=plan.terraform_version,
    )


def count_state(found: State) -> DocumentCounts:
    """The counts of a state: all its resources and outputs count as unchanged."""
    return DocumentCounts(
        resources=Counts(unchanged=found.managed),
        outputs=Counts(unchanged=len(found.outputs)),
        drift=None,
        has_changes=None,
        errored=None,
        format_version=found.format_version or STATE_FILE,
        terraform_version=found.terraform_version,
    )


def count_file(path: str, show_plan: ShowPlan) -> DocumentCounts:
    """The counts of the document at `path`, which may be a pipe (`<(terraform show -json p)`).

    `show_plan` is called for a plan file that can't be read directly. Raises UnreadableDocument.
    """
    try:
        if stat.S_ISDIR(os.stat(path).st_mode):
            raise _make_error(path, "it is a directory")
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
            if _is_plan_file(head) and os.path.isfile(path):
                return _count_plan_file(path, show_plan)
            return count_stream(prepend(head, file.read), path, show_plan)
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        reason = error.strerror if isinstance(error, OSError) else "no file has such a name"
        raise UnreadableDocument(f"can't read {path}: {reason}") from None


def count_stream(read: Read, name: str, show_plan: ShowPlan) -> DocumentCounts:
    """The counts of the document that `read` returns; error messages call the document `name`.

    Large documents are streamed, not held in memory. Raises UnreadableDocument.
    """
    head = read_up_to(HEAD_BYTES, read)
    if _is_plan_file(head):
        return _count_plan_stream(prepend(head, read), name, show_plan)
    try:
        return _count_json(read_as_utf8(prepend(head, read)))
    except UnreadableDocument as error:
        raise _make_error(name, str(error)) from None


def _is_plan_file(head: bytes) -> bool:
    """Whether `plan -out` wrote this: a zip, or the JSON of an encrypted or remote plan."""
    if head.startswith(ZIP):
        return True
    names = _list_first_members(head)
    return "remote_plan_format" in names or ("encrypted_data" in names and "lineage" not in names)


def _list_first_members(head: bytes) -> set[str]:
    """The member names found in the first bytes of a JSON object; empty if it is not an object."""
    cursor = Cursor(io.BytesIO(head).read)
    names: set[str] = set()
    try:
        for name in cursor.members():
            names.add(name)
            cursor.skip()
    except UnreadableDocument:
        pass
    return names


def _count_json(read: Read) -> DocumentCounts:
    head = read_up_to(planjson.LARGE, read)
    if len(head) < planjson.LARGE:
        return _count_small_json(head)
    head = cut_beginning(head)
    names = _list_first_members(head)
    _check_members(names)
    if names & STATE_MEMBERS:
        return _count_state_file(prepend(head, read))
    if names & (PLAN_MEMBERS - EMPTY_STATE):
        return _count_large_plan(prepend(head, read))
    if "values" in names:
        return _count_shown_state(prepend(head, read))
    raise UnreadableDocument("this JSON is no plan and no state")


def _count_small_json(data: bytes) -> DocumentCounts:
    if not data.strip():
        raise UnreadableDocument("it is empty")
    _check_members(list_members(data))
    if state.is_state(data):
        return count_state(state.parse_state(data))
    return count_plan(planjson.parse_plan(data))


def _check_members(names: set[str]) -> None:
    """Raises UnreadableDocument for JSON that the parsers would mistake for an empty plan."""
    if "encrypted_data" in names:
        raise UnreadableDocument("it is an encrypted state")
    if "format_version" in names and not names & DISTINCTIVE and not names <= EMPTY_STATE:
        raise UnreadableDocument("this JSON is no plan and no state")  # `validate -json`, …


def _count_large_plan(read: Read) -> DocumentCounts:
    kept: dict[tuple[object, ...], Change] = {}

    def share_equal_change(change: Change) -> Change:
        """The same object for all changes that are counted alike: this bounds the memory used."""
        return kept.setdefault(change.kind, change)

    return count_plan(planjson.stream_plan_json(read, keep=share_equal_change))


def _count_state_file(read: Read) -> DocumentCounts:
    size = measure_state_file(read)
    if size.version != STATE_FILE:
        raise UnreadableDocument(f"it is no state file of version {STATE_FILE}")
    return _count_size(size)


def _count_shown_state(read: Read) -> DocumentCounts:
    size = state.measure_shown_state(read)
    check_version(size.version or "", "this state JSON")
    return _count_size(size)


def _count_size(size: StateSize) -> DocumentCounts:
    return DocumentCounts(
        resources=Counts(unchanged=size.managed),
        outputs=Counts(unchanged=size.outputs),
        drift=None,
        has_changes=None,
        errored=None,
        format_version=size.version or "",
        terraform_version=size.terraform_version,
    )


def _make_error(name: str, reason: str) -> UnreadableDocument:
    return UnreadableDocument(f"can't count {name}: {reason}; {ACCEPTS}")


def _count_plan_file(path: str, show_plan: ShowPlan) -> DocumentCounts:
    """The counts of a plan file, read directly, else by `show_plan`. Raises UnreadableDocument."""
    try:
        return count_plan(reader.read_plan_file(path).plan)
    except UnreadableDocument as error:
        reason = error
    try:
        shown = show_plan(path, reader.read_mode(path))
    except ProvisionerNotFound:
        shown, tried = None, "for which there is no terraform or tofu here"
    else:
        tried = "which failed here, too"
    if shown is None:
        raise UnreadableDocument(
            f"{reason}, {tried} (try in the directory it was made in, or with --show)"
        )
    try:
        return count_plan(shown)
    except UnreadableDocument as error:
        raise _make_error(path, str(error)) from None


def _count_plan_stream(read: Read, name: str, show_plan: ShowPlan) -> DocumentCounts:
    with _make_file(read) as path:
        try:
            return _count_plan_file(path, show_plan)
        except UnreadableDocument as error:
            raise UnreadableDocument(str(error).replace(path, name)) from None


@contextmanager
def _make_file(read: Read) -> Iterator[str]:
    """The path of a temporary file with the bytes `read` returns; on Linux the file has no name."""
    kind = tempfile.TemporaryFile if HAS_PROC_FD else tempfile.NamedTemporaryFile
    with kind(prefix="tfevents-") as file:
        file.writelines(iter(partial(read, PIECE), b""))
        file.flush()
        yield f"/proc/{os.getpid()}/fd/{file.fileno()}" if HAS_PROC_FD else str(file.name)
