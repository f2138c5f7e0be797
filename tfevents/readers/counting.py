"""The counts of a document of any format: a plan file, plan JSON, state JSON or a state file."""

from __future__ import annotations

import codecs
import io
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from tfevents.errors import ProvisionerNotFound, UnreadableDocument
from tfevents.readers.json import plan as planjson
from tfevents.readers.json import state
from tfevents.readers.json.documents import EMPTY_STATE, PLAN_MEMBERS, list_members
from tfevents.readers.planfile import reader
from tfevents.readers.state_size import measure_state_file
from tfevents.readers.streaming import Cursor, Read, prepend, read_up_to
from tfevents.terraform.arguments import Mode
from tfevents.terraform.counts import (
    Counts,
    count_listed_drift,
    count_outputs,
    count_resources,
    find_foreign,
    foreign_actions,
    has_changes,
)
from tfevents.terraform.plan import Change, Plan
from tfevents.terraform.state import State

ZIP = b"PK\x03\x04"
HEAD_BYTES = 1 << 16
"""Bytes in which an encrypted or remote plan says that it is one."""

STATE_FILE = "4"
"""A pulled state's `version`, the only one that is known."""

DISTINCTIVE = (PLAN_MEMBERS - EMPTY_STATE) | {"values"}
"""Members by which a plan or a state is told from what else has a format_version."""

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
ACCEPTS = "count takes a plan file, or the JSON of `show -json` or `state pull`"
NAMELESS = os.path.isdir("/proc/self/fd")
"""Whether a file without a name can be opened by its descriptor (Linux)."""

ShowPlan = Callable[[str, Mode | None], Plan | None]
"""The plan in the file at a path, as a provisioner shows it; None where that fails.

Raises ProvisionerNotFound where there is no provisioner.
"""


class DocumentCounts(Struct, frozen=True):
    """The counts in a document; None is what a document of its kind does not say."""

    resources: Counts
    outputs: Counts
    drift: Counts | None
    has_changes: bool | None
    errored: bool | None
    format_version: str
    terraform_version: str | None


def count_plan(plan: Plan) -> DocumentCounts:
    """The counts of a plan. Raises UnreadableDocument for an action that nobody knows."""
    others = [output.actions for output in plan.outputs.values()]
    others += [entry.actions for entry in plan.drift or ()]
    if foreign := foreign_actions(plan) | find_foreign(others):
        names = ", ".join(sorted(foreign))[:100]
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
    """The counts of a state: everything in it is unchanged."""
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
            head = file.read(planjson.LARGE)
            if len(head) == planjson.LARGE and not head.startswith(ZIP):
                return count_stream(prepend(head, file.read), path, show_plan)
            data = (
                head if len(head) < planjson.LARGE or os.path.isfile(path) else head + file.read()
            )
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        reason = error.strerror if isinstance(error, OSError) else "no file has such a name"
        raise UnreadableDocument(f"can't read {path}: {reason}") from None
    if _is_plan_file(data):
        if os.path.isfile(path):
            return _count_plan_file(path, show_plan)
        return _count_held(data, path, show_plan)
    return _count_json(data, path)


def count_stream(read: Read, name: str, show_plan: ShowPlan) -> DocumentCounts:
    """The counts of the document that `read` gives; errors call it `name`.

    Large plan JSON and state files are parsed as they come, without holding them.
    Raises UnreadableDocument.
    """
    head = read_up_to(planjson.LARGE, read)
    names = _list_first_members(head) if len(head) >= planjson.LARGE else {""}
    if names <= PLAN_MEMBERS:
        return _count_large(prepend(head, read), name)
    if "lineage" in names and "encrypted_data" not in names:
        return _count_large_state_file(prepend(head, read), name)
    data = b"".join((head, *iter(lambda: read(planjson.LARGE), b"")))
    return _count_held(data, name, show_plan) if _is_plan_file(data) else _count_json(data, name)


def _list_first_members(head: bytes) -> set[str]:
    """The names of the members in the first bytes of a JSON object; {""} where it is no object."""
    cursor = Cursor(io.BytesIO(head).read)
    names: set[str] = set()
    try:
        for name in cursor.members():
            names.add(name)
            cursor.skip()
    except UnreadableDocument:
        pass
    return names or {""}


def _count_large(read: Read, name: str) -> DocumentCounts:
    kept: dict[tuple[object, ...], Change] = {}

    def alike(change: Change) -> Change:
        """One object for all changes that are counted alike, so that memory stays bounded."""
        return kept.setdefault(change.kind, change)

    try:
        return count_plan(planjson.stream_plan_json(_check_utf8(read), keep=alike))
    except UnreadableDocument as error:
        raise _make_error(name, str(error)) from None


def _count_large_state_file(read: Read, name: str) -> DocumentCounts:
    try:
        size = measure_state_file(_check_utf8(read))
        if size.version != STATE_FILE.encode():
            raise UnreadableDocument(f"it is no state file of version {STATE_FILE}")
    except UnreadableDocument as error:
        raise _make_error(name, str(error)) from None
    return DocumentCounts(
        resources=Counts(unchanged=size.managed),
        outputs=Counts(unchanged=size.outputs),
        drift=None,
        has_changes=None,
        errored=None,
        format_version=STATE_FILE,
        terraform_version=size.terraform_version,
    )


def _check_utf8(read: Read) -> Read:
    """A `read` that raises UnreadableDocument where the bytes are not UTF-8."""
    decoder, before = codecs.getincrementaldecoder("utf-8")(), 0

    def checked(size: int) -> bytes:
        nonlocal before
        piece = read(size)
        try:
            decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            raise UnreadableDocument(f"byte {before + error.start + 1} is not UTF-8") from None
        before += len(piece)
        return piece

    return checked


def _is_plan_file(data: bytes) -> bool:
    """What `plan -out` writes: a zip, or the JSON of an encrypted plan or of one in the cloud."""
    if data.startswith(ZIP):
        return True
    names = _list_marked_members(data)
    return "remote_plan_format" in names or ("encrypted_data" in names and "lineage" not in names)


def _list_marked_members(data: bytes) -> set[str]:
    """The members of JSON that looks encrypted or remote; a plan's values may look so, too."""
    head = data[:HEAD_BYTES]
    if b'"encrypted_data"' not in head and b'"remote_plan_format"' not in head:
        return set()
    try:
        return list_members(data)
    except UnreadableDocument:
        return set()


def _count_json(data: bytes, name: str) -> DocumentCounts:
    try:
        _check_json(data)
        if state.is_state(data):
            return count_state(state.parse_state(data))
        return count_plan(planjson.parse_plan(data))
    except UnreadableDocument as error:
        raise _make_error(name, str(error)) from None


def _check_json(data: bytes) -> None:
    """Refuse what the parsers would take for an empty plan. Raises UnreadableDocument."""
    if not data.strip():
        raise UnreadableDocument("it is empty")
    try:
        data.decode("utf-16" if data.startswith(UTF_16) else "utf-8")
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1} is not {error.encoding.upper()}"
        raise UnreadableDocument(reason) from None
    names = list_members(data)
    if "encrypted_data" in names:
        raise UnreadableDocument("it is an encrypted state")
    if "format_version" in names and not names & DISTINCTIVE and not names <= EMPTY_STATE:
        raise UnreadableDocument("this JSON is no plan and no state")  # `validate -json`, …


def _make_error(name: str, reason: str) -> UnreadableDocument:
    return UnreadableDocument(f"can't count {name}: {reason}; {ACCEPTS}")


def _count_plan_file(path: str, show_plan: ShowPlan) -> DocumentCounts:
    """From the file itself, else from what a provisioner shows of it."""
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


def _count_held(data: bytes, name: str, show_plan: ShowPlan) -> DocumentCounts:
    with _make_file(data) as path:
        try:
            return _count_plan_file(path, show_plan)
        except UnreadableDocument as error:
            raise UnreadableDocument(str(error).replace(path, name)) from None


@contextmanager
def _make_file(data: bytes) -> Iterator[str]:
    """The path of a temporary file with `data`; on Linux of one without a name."""
    kind = tempfile.TemporaryFile if NAMELESS else tempfile.NamedTemporaryFile
    with kind(prefix="tfevents-") as file:
        file.write(data)
        file.flush()
        yield f"/proc/{os.getpid()}/fd/{file.fileno()}" if NAMELESS else str(file.name)
