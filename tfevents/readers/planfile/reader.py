"""Reads a saved plan file into a Plan, in milliseconds, without running terraform or providers.

The format is internal to terraform and may change with any version: whatever was not verified
raises UnreadableDocument, and the caller falls back to `show -json`.
"""

from __future__ import annotations

import re

from msgspec import Struct

from tfevents.errors import UnreadableDocument
from tfevents.readers import state_size
from tfevents.readers.planfile import archive, messages, wire_format
from tfevents.readers.planfile.archive import PlanArchive, open_archive
from tfevents.readers.planfile.messages import OPENTOFU, TERRAFORM, Parts, Tool
from tfevents.readers.planfile.wire_format import Message
from tfevents.terraform.arguments import Mode
from tfevents.terraform.plan import Plan

JSON_FORMAT = "1.2"
"""jsonplan.FormatVersion, as in `show -json`: since Terraform 1.5, in every OpenTofu."""

# Nothing in `tfplan` says which tool wrote it, but the first line of the lock file in the zip does,
# whatever the lock file in the directory says: `internal/depsfile/locks_file.go`.
WRITERS = {
    b'# This file is maintained automatically by "terraform init".': TERRAFORM,
    b'# This file is maintained automatically by "tofu init".': OPENTOFU,
}
NUMBERS = re.compile(r"(\d{1,4})\.(\d{1,4})\.\d")


class PlanFile(Struct, frozen=True):
    """A plan and further facts in its plan file. The states are read from the file on demand.

    `tool` and `version`: those that wrote the plan. `checksum`: CRC-32 of `tfplan`.
    """

    plan: Plan
    mode: Mode
    workspace: str
    backend_type: str
    targeted: bool
    tool: str
    version: str
    path: str
    checksum: int

    def read_prior_state(self) -> bytes:
        """The refreshed state that the plan starts from, as the bytes of a state file.

        Raises UnreadableDocument, also if the plan file has changed since it was read.
        """
        return self._read_state(archive.PRIOR)

    def read_previous_state(self) -> bytes:
        """The state as the last apply left it, as the bytes of a state file.

        Its serial and lineage mean nothing. Raises UnreadableDocument as `read_prior_state` does.
        """
        return self._read_state(archive.PREVIOUS)

    def _read_state(self, member: str) -> bytes:
        with open_archive(self.path) as zipped:
            if self.checksum != zipped.checksum(archive.PLAN):
                raise UnreadableDocument("it is another plan by now")
            return zipped.read_member(member)


def read_mode(path: str) -> Mode | None:
    """The planning mode of the plan file at `path`; None if it can't be read."""
    head, invokes = Message(), False
    try:
        with open_archive(path) as zipped, zipped.open_member(archive.PLAN) as plan:
            for number, value in wire_format.iterate_fields(plan):
                invokes = invokes or number == messages.INVOKES
                if isinstance(value, int):
                    head.numbers[number] = value
    except UnreadableDocument:
        return None
    known = head.number(messages.FORMAT_VERSION) == messages.FORMAT
    found = messages.MODES.get(head.number(messages.MODE)) if known else None
    return _resolve_mode(found, invokes) if found else None


def read_plan_file(path: str) -> PlanFile:
    """Reads the plan file at `path`. Raises UnreadableDocument for anything not verified."""
    with open_archive(path) as zipped:
        tool = _find_tool(zipped.read_member(archive.LOCK))
        with zipped.open_member(archive.PLAN) as plan:
            parts = messages.parse_plan_message(plan, tool)
        version = _verify_version(parts.head, tool)
        backend = _parse_backend(parts.head)
        return PlanFile(
            plan=_make_plan(parts, tool, version, zipped),
            mode=_find_mode(parts),
            workspace=backend.text(messages.WORKSPACE),
            backend_type=backend.text(messages.BACKEND_TYPE),
            targeted=parts.targeted,
            tool=tool.name,
            version=version,
            path=path,
            checksum=zipped.checksum(archive.PLAN),
        )


def _find_tool(lock: bytes) -> Tool:
    line = lock.partition(b"\n")[0]
    if line not in WRITERS:
        raise UnreadableDocument("its lock file does not name the tool that wrote it")
    return WRITERS[line]


def _verify_version(head: Message, tool: Tool) -> str:
    """The version that wrote the plan. Raises UnreadableDocument if it was not verified."""
    if head.number(messages.FORMAT_VERSION) != messages.FORMAT:
        found = head.number(messages.FORMAT_VERSION)
        raise UnreadableDocument(f"it has format {found}, not {messages.FORMAT}")
    version = head.text(messages.VERSION)
    if not tool.first <= _parse_version(version) <= tool.last:
        raise UnreadableDocument(f"it was written by {tool.name} {version[:40]!r}")
    return version


def _parse_version(version: str) -> tuple[int, int]:
    found = NUMBERS.match(version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _parse_backend(head: Message) -> Message:
    if messages.BACKEND not in head.strings:
        raise UnreadableDocument("it has no backend")
    return wire_format.parse_message(head.strings[messages.BACKEND][0], messages.BACKEND_SCHEMA)


def _find_mode(parts: Parts) -> Mode:
    number = parts.head.number(messages.MODE)
    if number not in messages.MODES:
        raise UnreadableDocument(f"it has a mode {number} that this tfevents does not know")
    return _resolve_mode(messages.MODES[number], parts.invokes)


def _resolve_mode(stored: Mode, invokes: bool) -> Mode:
    """The mode to report: `-invoke` plans are stored as refresh-only, but have actions to apply."""
    return Mode.NORMAL if invokes else stored


def _make_plan(parts: Parts, tool: Tool, version: str, zipped: PlanArchive) -> Plan:
    """The same Plan as from the output of `show -json`."""
    mode = _find_mode(parts)
    since = tool.applyable_since
    has_applyable = since is not None and _parse_version(version) >= since
    # a no-op entry is a move, which is no drift; a refresh-only plan has nothing else to report
    drift = [d for d in parts.drift if mode is Mode.REFRESH_ONLY or d.actions != {"no-op"}]
    return Plan(
        format_version=JSON_FORMAT,
        terraform_version=version,
        changes=tuple(parts.changes),
        drift=tuple(drift) or None,
        outputs=parts.outputs,
        mode=mode,
        applyable=bool(parts.head.number(messages.APPLYABLE)) if has_applyable else None,
        complete=bool(parts.head.number(messages.COMPLETE)) if has_applyable else None,
        errored=bool(parts.head.number(messages.ERRORED)),
        managed=0 if parts.changes else _count_managed(zipped),
    )


def _count_managed(zipped: PlanArchive) -> int:
    """The number of current managed objects in the prior state."""
    with zipped.open_member(archive.PRIOR) as state:
        return state_size.measure_state_file(state.read).managed
