"""The story of `count`: whatever terraform writes of a plan or a state → its counts."""

from __future__ import annotations

import codecs
import io
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tfevents.cli.output import Table
from tfevents.errors import ProvisionerNotFound, UnreadableDocument
from tfevents.readers.json import plan as planjson
from tfevents.readers.json import state
from tfevents.readers.json.documents import Raw, decode
from tfevents.readers.json.streaming import Cursor, Read, again, up_to
from tfevents.readers.planfile import reader
from tfevents.record import dataclass
from tfevents.terraform import binary
from tfevents.terraform.client import Engine
from tfevents.terraform.counts import (
    Counts,
    count_drift,
    count_outputs,
    count_resources,
    has_changes,
)
from tfevents.terraform.plan import Change, Plan
from tfevents.terraform.state import State

ZIP = b"PK\x03\x04"
MARKED = 1 << 16
"""Bytes in which an encrypted or remote plan says that it is one."""

STATE_FILE = "4"
"""A pulled state's `version`, the only one that is known."""

PLAN = frozenset(
    {
        *("format_version", "terraform_version", "variables", "planned_values", "resource_drift"),
        *("resource_changes", "deferred_changes", "output_changes", "prior_state", "configuration"),
        *("relevant_attributes", "checks", "timestamp", "applyable", "complete", "errored"),
        *("action_invocations", "deferred_action_invocations"),
    }
)
"""What plan JSON holds; with anything else at its beginning a document is no plan."""

TELLING = {"planned_values", "configuration", "resource_changes", "values"}
EMPTY_STATE = {"format_version", "terraform_version", "checks"}
"""Members by which a plan or a state is told from what else has a format_version."""

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
TAKES = "count takes a plan file, or the JSON of `show -json` or `state pull`"
NAMELESS = os.path.isdir("/proc/self/fd")
"""Whether a file without a name can be opened by one (Linux)."""


@dataclass(frozen=True)
class Account:
    """What a document says in numbers; None is what it can't tell."""

    resources: Counts
    outputs: Counts
    drift: Counts | None
    has_changes: bool | None
    errored: bool | None
    format_version: str
    terraform_version: str | None

    def as_json(self) -> dict[str, Any]:
        """The shape of `count --json`."""
        return {
            "resource_counts": self.resources.as_json(),
            "output_counts": self.outputs.as_json(),
            "drift_counts": self.drift.as_json() if self.drift else None,
            "has_changes": self.has_changes,
            "errored": self.errored,
            "format_version": self.format_version,
            "terraform_version": self.terraform_version,
        }

    def table(self) -> Table:
        """The counts, one row for each kind; what can't be told is a dash."""
        kinds = {"resources": self.resources, "outputs": self.outputs, "drift": self.drift}
        titles = list(Counts().as_json())
        rows = [[kind, *_cells(counts, len(titles))] for kind, counts in kinds.items()]
        return Table(["", *titles], rows, right=frozenset(titles))

    def words(self) -> str:
        """What the numbers don't say, in one line."""
        changes = {None: "a state", True: "something to apply", False: "nothing to apply"}
        said = [changes[self.has_changes], "planning failed" if self.errored else ""]
        said += [f"terraform {self.terraform_version}" if self.terraform_version else ""]
        return ", ".join(part for part in (*said, f"format {self.format_version}") if part)


def _cells(counts: Counts | None, width: int) -> list[str]:
    return ["-"] * width if counts is None else [str(n) for n in counts.as_json().values()]


def of_plan(plan: Plan) -> Account:
    """A plan's account."""
    return Account(
        resources=count_resources(plan) or Counts(),
        outputs=count_outputs(plan),
        drift=None if plan.drift is None else count_drift(plan.drift),
        has_changes=has_changes(plan),
        errored=plan.errored,
        format_version=plan.format_version,
        terraform_version=plan.terraform_version,
    )


def of_state(found: State) -> Account:
    """A state's account: what it holds is all that it can tell."""
    return Account(
        resources=Counts(unchanged=found.managed),
        outputs=Counts(unchanged=len(found.outputs)),
        drift=None,
        has_changes=None,
        errored=None,
        format_version=found.format_version or STATE_FILE,
        terraform_version=found.terraform_version,
    )


def find_engines(env: Mapping[str, str], program: str) -> Iterator[Engine]:
    """Whoever could show a plan here: the one that is asked for, else terraform and tofu."""
    wanted = env.get("TFEVENTS_PROVISIONER", "").strip()
    for name in (wanted,) if wanted else binary.NAMES:
        try:
            yield Engine(binary.find(env, program, name), (), env)
        except ProvisionerNotFound:
            continue


def count_file(path: str, engines: Iterable[Engine]) -> Account:
    """The document at `path`; a pipe (`<(terraform show -json p)`) is read to its end.

    `engines` are asked for plan files that can't be read directly. Raises UnreadableDocument.
    """
    try:
        if stat.S_ISDIR(os.stat(path).st_mode):
            raise _uncounted(path, "it is a directory")
        with open(path, "rb") as file:
            head = file.read(planjson.LARGE)
            if len(head) == planjson.LARGE and not head.startswith(ZIP):
                return count_stream(again(head, file.read), path, engines)
            data = (
                head if len(head) < planjson.LARGE or os.path.isfile(path) else head + file.read()
            )
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        reason = error.strerror if isinstance(error, OSError) else "no file has such a name"
        raise UnreadableDocument(f"can't read {path}: {reason}") from None
    if _is_plan_file(data):
        if os.path.isfile(path):
            return _of_plan_file(path, engines)
        return _held(data, path, engines)
    return _of_json(data, path)


def count_stream(read: Read, name: str, engines: Iterable[Engine]) -> Account:
    """As `count_file`, of a document that comes through a pipe and is called `name`.

    Of large plan JSON no more is held than is being looked at.
    """
    head = up_to(planjson.LARGE, read)
    if len(head) >= planjson.LARGE and _members_at(head) <= PLAN:
        return _of_large(again(head, read), name)
    data = b"".join((head, *iter(lambda: read(planjson.LARGE), b"")))
    return _held(data, name, engines) if _is_plan_file(data) else _of_json(data, name)


def _members_at(head: bytes) -> set[str]:
    """The first members of a JSON object; nothing that a plan has where it is no object."""
    cursor = Cursor(io.BytesIO(head).read)
    names: set[str] = set()
    try:
        for name in cursor.members():
            names.add(name)
            cursor.skip()
    except UnreadableDocument:
        pass
    return names or {""}


def _of_large(read: Read, name: str) -> Account:
    kept: dict[tuple[object, ...], Change] = {}

    def alike(change: Change) -> Change:
        """Changes that count alike are one: which object it is, nobody asks here."""
        return kept.setdefault(change.kind, change)

    try:
        return of_plan(planjson.collect(_utf8(read), keep=alike))
    except UnreadableDocument as error:
        raise _uncounted(name, str(error)) from None


def _utf8(read: Read) -> Read:
    """What is read, if it is UTF-8."""
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
    names = _marked(data)
    return "remote_plan_format" in names or ("encrypted_data" in names and "lineage" not in names)


def _marked(data: bytes) -> set[str]:
    """The members of JSON that looks encrypted or remote; a plan's values may look so, too."""
    head = data[:MARKED]
    if b'"encrypted_data"' not in head and b'"remote_plan_format"' not in head:
        return set()
    try:
        return _members(data)
    except UnreadableDocument:
        return set()


def _members(data: bytes) -> set[str]:
    """The names of what a JSON object holds. Raises UnreadableDocument."""
    return set(decode(data, dict[str, Raw], "plan or state JSON"))


def _of_json(data: bytes, name: str) -> Account:
    try:
        _check_json(data)
        if state.is_state(data):
            return of_state(state.parse(data))
        return of_plan(planjson.parse(data))
    except UnreadableDocument as error:
        raise _uncounted(name, str(error)) from None


def _check_json(data: bytes) -> None:
    """What the parsers don't look at. Raises UnreadableDocument."""
    if not data.strip():
        raise UnreadableDocument("it is empty")
    try:
        data.decode("utf-16" if data.startswith(UTF_16) else "utf-8")
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1} is not {error.encoding.upper()}"
        raise UnreadableDocument(reason) from None
    names = _members(data)
    if "encrypted_data" in names:
        raise UnreadableDocument("it is an encrypted state")
    if "format_version" in names and not names & TELLING and not names <= EMPTY_STATE:
        raise UnreadableDocument("this JSON is no plan and no state")  # `validate -json`, …


def _uncounted(name: str, reason: str) -> UnreadableDocument:
    return UnreadableDocument(f"can't count {name}: {reason}; {TAKES}")


def _of_plan_file(path: str, engines: Iterable[Engine]) -> Account:
    """From the file itself, else by whichever provisioner can show it."""
    try:
        return of_plan(reader.read(path).plan)
    except UnreadableDocument as error:
        direct = error
    able, mode = list(engines), reader.mode(path)
    for engine in (placed for each in able for placed in _places(each, path)):
        shown = engine.show(os.path.abspath(path), lambda read: planjson.stream(read, mode))
        if shown is not None:
            return of_plan(shown)
    tried = "which failed here, too" if able else "for which there is no terraform or tofu here"
    raise UnreadableDocument(f"{direct}, {tried} (try in the directory it was made in)")


def _places(engine: Engine, path: str) -> Iterator[Engine]:
    """Here, and where the plan file is: its providers are needed to show it."""
    yield engine
    directory = os.path.dirname(os.path.abspath(path))
    if directory != os.getcwd() and not directory.startswith("/proc/"):
        yield Engine(engine.path, (f"-chdir={directory}",), engine.env)


def _held(data: bytes, name: str, engines: Iterable[Engine]) -> Account:
    with _file_of(data) as path:
        try:
            return _of_plan_file(path, engines)
        except UnreadableDocument as error:
            raise UnreadableDocument(str(error).replace(path, name)) from None


@contextmanager
def _file_of(data: bytes) -> Iterator[str]:
    """A file for as long as it takes; where the system can, one that nothing is left of."""
    kind = tempfile.TemporaryFile if NAMELESS else tempfile.NamedTemporaryFile
    with kind(prefix="tfevents-") as file:
        file.write(data)
        file.flush()
        yield f"/proc/{os.getpid()}/fd/{file.fileno()}" if NAMELESS else str(file.name)
