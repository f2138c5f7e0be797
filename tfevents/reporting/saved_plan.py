"""Reads a saved plan, from its file or from `show -json`; also while terraform still shows it."""

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
from tfevents.settings.environment import find_plan_reader
from tfevents.terraform.arguments import Mode
from tfevents.terraform.client import TerraformClient
from tfevents.terraform.counts import count_resources
from tfevents.terraform.plan import Plan
from tfevents.terraform.state import State
from tfevents.terraform.workdir import FileIdentity, file_identity

POLL, LONGEST_POLL = 0.01, 0.2
"""Seconds between two looks at the plan file, at first and at most. The pause may grow: the longer
a plan is, the longer terraform takes to show it."""


class SavedPlan(Struct, frozen=True, dict=True):
    """A plan, and what only its file has. `tool`: the product that wrote it; None if not known.

    `find_prior` reads the refreshed state that the plan is based on, `find_previous` the state as
    the last apply left it, both as bytes of a state file.
    """

    plan: Plan
    tool: str | None = None
    targeted: bool = False
    find_prior: Callable[[], bytes] | None = None
    find_previous: Callable[[], bytes] | None = None

    @cached_property
    def prior(self) -> State | None:
        """The refreshed state that the plan is based on; None if it can't be read. Decompressed on
        first use, since it is rarely needed."""
        if self.find_prior is None:
            return None
        try:
            return read_state(self.find_prior())
        except UnreadableDocument:
            return None


def read_plan(engine: TerraformClient, path: str, mode: Mode | None = None) -> SavedPlan | None:
    """A saved plan: from the file itself if its format is a verified one, else by `show -json`.

    `path`: relative to our working directory, not to `-chdir`. None if neither works, and for a
    pipe, which only terraform may read. Raises UnreadableDocument for JSON that no tool writes.
    """
    if not os.path.isfile(path):
        return None
    reader = find_plan_reader(engine.env)
    if reader != "json":
        with suppress(UnreadableDocument):
            return read_plan_file(path)
    return _show_plan(engine, path, mode) if reader != "file" else None


def read_plan_file(path: str) -> SavedPlan:
    """A saved plan from its file alone. Raises UnreadableDocument."""
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
        find_prior=partial(_read_archive_member, path, archive.PRIOR),
        find_previous=partial(_read_archive_member, path, archive.PREVIOUS),
    )


def _read_archive_member(path: str, member: str) -> bytes:
    """A state file in the plan's zip archive, which can be read whatever the plan's format is."""
    with archive.open_archive(path) as zipped:
        return zipped.read_member(member)


class PlanFileWatcher:
    """Reads a plan file as soon as terraform has written it, while terraform still shows the plan.

    `older`: identity of the file at `path` before terraform writes it; None if there is none.
    """

    def __init__(self, path: str, older: FileIdentity | None, env: Mapping[str, str]) -> None:
        self._path, self._identity = path, older
        self._enabled = find_plan_reader(env) != "json"
        self._stop, self._stopped = Event(), Event()
        self._saved_plan: SavedPlan | None = None

    def start(self) -> None:
        """Starts polling in the background, until the plan was read or `take_plan` is called."""
        BackgroundTask(self._watch, "plan")

    def _watch(self) -> None:
        try:
            pause = POLL
            while self._enabled and not (self._saved_plan or self._stop.wait(pause)):
                self._poll()
                pause = min(pause * 1.05, LONGEST_POLL)
        finally:
            self._stopped.set()

    def _poll(self) -> None:
        """Reads the file if it has changed; an incomplete zip archive is refused."""
        identity = file_identity(self._path)
        if identity is not None and identity[1] and identity != self._identity:
            self._identity = identity
            with suppress(UnreadableDocument):
                found = read_plan_file(self._path)
                count_resources(found.plan)  # fills the cache of `Plan.kinds` ahead of time
                self._saved_plan = found

    def take_plan(self, path: str) -> SavedPlan | None:
        """Stops polling; gives the plan at `path` if it was read and has not changed since."""
        self._stop.set()
        self._stopped.wait()
        unchanged = path == self._path and file_identity(path) == self._identity
        return self._saved_plan if unchanged else None
