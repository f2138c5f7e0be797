"""A saved plan: from its file, from `show -json`, or as soon as terraform has written it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property, partial
from threading import Event

from msgspec import Struct

from tfevents.background import BackgroundTask
from tfevents.errors import UnreadableDocument
from tfevents.readers.json import plan as planjson
from tfevents.readers.planfile import archive
from tfevents.readers.planfile import reader as planfile
from tfevents.reporting.states import read_state
from tfevents.terraform.arguments import Mode
from tfevents.terraform.client import TerraformClient
from tfevents.terraform.counts import count_resources
from tfevents.terraform.plan import Plan
from tfevents.terraform.state import State
from tfevents.terraform.workdir import FileIdentity, file_identity

READER = "TFEVENTS_PLAN_READER"
"""`file`, `json`, else whichever works: for comparing the two, and for whoever trusts one only."""


POLL, LONGEST_POLL = 0.01, 0.2
"""Seconds between two looks; a longer plan is also shown for longer."""


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

    `path` as we see it. None where neither can be had, and for a pipe, which is somebody else's to
    read. Raises UnreadableDocument for JSON that no tool writes.
    """
    if not os.path.isfile(path):
        return None
    reader = engine.env.get(READER, "")
    if reader != "json":
        with suppress(UnreadableDocument):
            return read_plan_file(path)
    return _show_plan(engine, path, mode) if reader != "file" else None


def read_plan_file(path: str) -> SavedPlan:
    """A plan from its file alone. Raises UnreadableDocument."""
    found = planfile.read_plan_file(path)
    return SavedPlan(
        found.plan, found.tool, found.targeted, found.read_prior_state, found.read_previous_state
    )


def _show_plan(engine: TerraformClient, path: str, mode: Mode | None) -> SavedPlan | None:
    plan = engine.show(os.path.abspath(path), partial(planjson.read_plan_json, mode=mode))
    if plan is None:
        return None
    return SavedPlan(
        plan,
        find_prior=partial(_zipped, path, archive.PRIOR),
        find_previous=partial(_zipped, path, archive.PREVIOUS),
    )


def _zipped(path: str, member: str) -> bytes:
    """A plain state file in the plan's zip, whatever its plan is."""
    with archive.open_archive(path) as zipped:
        return zipped.read_member(member)


class PlanFileWatcher:
    """A plan file that terraform is about to write: read while terraform still shows the plan.

    `older`: what lies at `path` before it is written.
    """

    def __init__(self, path: str, older: FileIdentity | None, env: Mapping[str, str]) -> None:
        self._path, self._last = path, older
        self._wanted = env.get(READER, "") != "json"
        self._over, self._read = Event(), Event()
        self._found: SavedPlan | None = None

    def start(self) -> None:
        """Begins to look until it can be read, or until somebody asks for it."""
        BackgroundTask(self._watch, "plan")

    def _watch(self) -> None:
        try:
            pause = POLL
            while self._wanted and not (self._found or self._over.wait(pause)):
                self._poll()
                pause = min(pause * 1.05, LONGEST_POLL)
        finally:
            self._read.set()

    def _poll(self) -> None:
        """Half a file has no end, and is refused."""
        seen = file_identity(self._path)
        if seen is not None and seen[1] and seen != self._last:
            self._last = seen
            with suppress(UnreadableDocument):
                found = read_plan_file(self._path)
                count_resources(found.plan)  # by kind, which the plan keeps
                self._found = found

    def found(self, path: str) -> SavedPlan | None:
        """The plan at `path`, where it was read and is the same now."""
        self._over.set()
        self._read.wait()
        return self._found if path == self._path and file_identity(path) == self._last else None
