"""A saved plan file → Plan: without terraform, without providers, in milliseconds.

The format is terraform's own affair and may change with any version: what was not verified is
refused, and the caller falls back to `show -json`.
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
"""jsonplan.FormatVersion, which `show -json` gives: since Terraform 1.5, all OpenTofu."""

# Nothing in `tfplan` says which tool wrote it, but each writes the lock file into the zip under
# its own name, whatever the directory's lock file says: `internal/depsfile/locks_file.go`.
WRITERS = {
    b'# This file is maintained automatically by "terraform init".': TERRAFORM,
    b'# This file is maintained automatically by "tofu init".': OPENTOFU,
}
NUMBERS = re.compile(r"(\d{1,4})\.(\d{1,4})\.\d")


class PlanFile(Struct, frozen=True):
    """A plan, and what its file knows beside it. The states are only inflated when asked for."""

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
        """The state that the plan starts from, refreshed: a state file.

        Raises UnreadableDocument, also where the file is another by now.
        """
        return self._state(archive.PRIOR)

    def read_previous_state(self) -> bytes:
        """The state as the last apply left it, likewise; its serial and lineage are void."""
        return self._state(archive.PREVIOUS)

    def _state(self, member: str) -> bytes:
        with open_archive(self.path) as zipped:
            if self.checksum != zipped.checksum(archive.PLAN):
                raise UnreadableDocument("it is another plan by now")
            return zipped.read_member(member)


def read_mode(path: str) -> Mode | None:
    """The planning mode of the plan file at `path`; None where that can't be told."""
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
    """The plan file at `path`. Raises UnreadableDocument for all that was not verified."""
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
    """The version that wrote the plan, if plans of that version are known."""
    if head.number(messages.FORMAT_VERSION) != messages.FORMAT:
        raise UnreadableDocument(f"it has format {head.number(messages.FORMAT_VERSION)}, not 3")
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
    """`-invoke` plans as refresh-only does, but is no look for drift: it has something to apply."""
    return Mode.NORMAL if invokes else stored


def _make_plan(parts: Parts, tool: Tool, version: str, zipped: PlanArchive) -> Plan:
    """The plan as `show -json` would have told it."""
    mode = _find_mode(parts)
    judges = tool.judges is not None and _parse_version(version) >= tool.judges
    # a move alone is no drift, but the only news there is where nothing else is planned
    drift = [d for d in parts.drift if mode is Mode.REFRESH_ONLY or d.actions != {"no-op"}]
    return Plan(
        format_version=JSON_FORMAT,
        terraform_version=version,
        changes=tuple(parts.changes),
        drift=tuple(drift) or None,
        outputs=parts.outputs,
        mode=mode,
        applyable=bool(parts.head.number(messages.APPLYABLE)) if judges else None,
        complete=bool(parts.head.number(messages.COMPLETE)) if judges else None,
        errored=bool(parts.head.number(messages.ERRORED)),
        managed=0 if parts.changes else _count_managed(zipped),
    )


def _count_managed(zipped: PlanArchive) -> int:
    """Current managed objects of the state; only asked for where there are no changes."""
    with zipped.open_member(archive.PRIOR) as state:
        return state_size.measure_state_file(state.read).managed
