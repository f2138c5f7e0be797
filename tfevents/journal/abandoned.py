"""Finds abandoned runs, whose process ended without recording it, and removes their folders."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import suppress
from types import TracebackType

from tfevents.journal.run_lock import LOCK, NOTE, is_held, remove_folder, runs_folder

STALE_SECONDS = 86400
"""The age at which an unfinished folder is removed even if other processes may be creating some."""


def find_abandoned(home: str) -> list[str]:
    """The ids of the runs under `home` that have a folder, but whose lock nobody holds.

    Also removes folders whose creation was interrupted.
    """
    try:
        names = os.listdir(runs_folder(home))
    except OSError:
        return []
    if any(name.startswith(".") for name in names):
        _remove_unfinished(runs_folder(home))
    return [name for name in names if not name.startswith(".") and not is_held(home, name)]


def _remove_unfinished(runs_path: str) -> None:
    """Removes folders whose creation was interrupted, unless a process may be creating them now."""
    with suppress(OSError):
        directory = os.open(runs_path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            stale_time = _find_stale_time(directory)
            for name in os.listdir(runs_path):
                folder = os.path.join(runs_path, name)
                if name.startswith(".") and os.lstat(folder).st_mtime <= stale_time:
                    shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(directory)


def _find_stale_time(directory: int) -> float:
    """The latest modification time of an unfinished folder that no process is creating now.

    Infinite if we get the exclusive lock on the runs folder: then no process is creating any.
    """
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return time.time() - STALE_SECONDS
    return float("inf")


class AbandonedRun:
    """A context manager that locks the folder of an abandoned run and removes it at the end.

    It gives the folder's path, or None where another process holds the lock or has removed the
    folder. An exception inside the block leaves the folder in place.
    """

    def __init__(self, home: str, identity: str) -> None:
        self._folder, self._lock = os.path.join(runs_folder(home), identity), -1

    def __enter__(self) -> str | None:
        with suppress(OSError):
            lock = os.open(os.path.join(self._folder, LOCK), os.O_RDWR)
            self._lock = lock
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return self._folder if os.path.isdir(self._folder) else None
        self._release()
        if not os.path.lexists(os.path.join(self._folder, LOCK)):
            shutil.rmtree(
                self._folder, ignore_errors=True
            )  # without a lock file: its removal was interrupted
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._lock >= 0 and kind is None:
            _remove_tree(self._folder)
        self._release()

    def _release(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
        self._lock = -1


def read_note(folder: str) -> dict[str, str]:
    """The run's note in a folder (see `RunLock.write_note`); empty where it can't be read."""
    try:
        with open(os.path.join(folder, NOTE), "rb") as file:
            pairs = os.fsdecode(file.read()).split("\0")
    except OSError:
        return {}
    return {name: word for name, equals, word in (p.partition("=") for p in pairs) if equals}


def _remove_tree(folder: str) -> None:
    """Removes a run's folder, also subfolders, which tfevents does not create."""
    remove_folder(folder)
    shutil.rmtree(folder, ignore_errors=True)
