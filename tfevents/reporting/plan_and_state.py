"""Finding what a run is judged by: its plan, and the state before and after; each one optional."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property

from msgspec import Struct

from tfevents.errors import UnreadableDocument
from tfevents.readers.json import plan as planjson
from tfevents.readers.json.state import parse_file
from tfevents.readers.planfile import archive
from tfevents.readers.planfile import reader as planfile
from tfevents.terraform.arguments import Mode
from tfevents.terraform.client import TerraformClient
from tfevents.terraform.plan import Plan
from tfevents.terraform.state import State

READER = "TFEVENTS_PLAN_READER"
"""`file`, `json`, else whichever works: for comparing the two, and for whoever trusts one only."""

ERRORED = "errored.tfstate"
"""Where terraform puts a state that it could not store."""


class SavedPlan(Struct, frozen=True, dict=True):
    """A plan, and what else only its file knows."""

    plan: Plan
    tool: str | None = None
    targeted: bool = False
    find_prior: Callable[[], bytes] | None = None
    find_previous: Callable[[], bytes] | None = None

    @cached_property
    def prior(self) -> State | None:
        """The state it was made on, refreshed: inflated when it is asked for, which is rarely."""
        if self.find_prior is None:
            return None
        try:
            return read_state(self.find_prior())
        except UnreadableDocument:
            return None


def read_plan(engine: TerraformClient, path: str, mode: Mode | None = None) -> SavedPlan | None:
    """A saved plan: from the file itself where that is proven, else by `show -json`.

    `path` as we see it. None where neither can be had. Raises UnreadableDocument for JSON that
    no tool writes.
    """
    reader = engine.env.get(READER, "")
    if reader != "json":
        with suppress(UnreadableDocument):
            return read_file(path)
    return _show_plan(engine, path, mode) if reader != "file" else None


def read_file(path: str) -> SavedPlan:
    """A plan from its file alone. Raises UnreadableDocument."""
    found = planfile.read(path)
    return SavedPlan(found.plan, found.tool, found.targeted, found.prior, found.previous)


def _show_plan(engine: TerraformClient, path: str, mode: Mode | None) -> SavedPlan | None:
    plan = engine.show(os.path.abspath(path), lambda read: planjson.stream(read, mode))
    if plan is None:
        return None
    return SavedPlan(
        plan,
        find_prior=lambda: _zipped(path, archive.PRIOR),
        find_previous=lambda: _zipped(path, archive.PREVIOUS),
    )


def _zipped(path: str, member: str) -> bytes:
    """A plain state file in the plan's zip, whatever its plan is."""
    with archive.open_archive(path) as zipped:
        return zipped.read_member(member)


def pull_state(engine: TerraformClient) -> State | None:
    """The state as stored; an empty answer is a state that was never written. None: not known."""
    return read_state(engine.pull_state())


def read_state(answer: bytes | None) -> State | None:
    """The state in what a pull answered; None where there is no answer."""
    if answer is None:
        return None
    return parse_file(answer) if answer.strip() else State()


def left_unsaved(directory: str, since: float) -> bool:
    """Whether terraform had to leave a state beside the stored one, which is old then."""
    try:
        return os.stat(os.path.join(directory, ERRORED)).st_mtime >= since
    except OSError:
        return False
