"""A plan file that terraform is about to write: read when it is there, while it is being shown."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from threading import Event

from tfevents.background import BackgroundTask
from tfevents.errors import UnreadableDocument
from tfevents.reporting.plan_and_state import READER, SavedPlan, read_file
from tfevents.terraform.counts import count_resources
from tfevents.terraform.workdir import FileIdentity, file_identity

POLL, LONGEST_POLL = 0.01, 0.2
"""Seconds between two looks; a longer plan is also shown for longer."""


class PlanFileWatcher:
    """`older`: what lies at `path` before it is written."""

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
                self._look()
                pause = min(pause * 1.05, LONGEST_POLL)
        finally:
            self._read.set()

    def _look(self) -> None:
        """Half a file has no end, and is refused."""
        seen = file_identity(self._path)
        if seen is not None and seen[1] and seen != self._last:
            self._last = seen
            with suppress(UnreadableDocument):
                found = read_file(self._path)
                count_resources(found.plan)  # by kind, which the plan keeps
                self._found = found

    def found(self, path: str) -> SavedPlan | None:
        """The plan at `path`, where it was read and is the same now."""
        self._over.set()
        self._read.wait()
        return self._found if path == self._path and file_identity(path) == self._last else None
