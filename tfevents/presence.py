"""Who is still there: a process holds a lock on a file of its own, and a free lock means gone.

Process ids and boot ids mean nothing across containers that share a home; an exclusive lock is
given back by the kernel however its holder ends. The folder beside the lock is the process' own:
private plan files live and die with it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

STALE_SECONDS = 86400
"""A folder that was never finished (killed while it was made) is swept after a day."""


@dataclass(frozen=True)
class Presence:
    """One living process: its id, its private folder and the lock that proves it."""

    identity: str
    folder: str
    lock: int

    def path(self, name: str) -> str:
        """A private file's place."""
        return os.path.join(self.folder, name)

    def create(self, name: str) -> str:
        """A private file (0600), empty, for somebody else to fill: its mode stays."""
        path = self.path(name)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        return path

    def end(self) -> None:
        """Gone, and everything private with it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            os.close(self.lock)


def appear(home: str) -> Presence:
    """A new presence under `home`. Raises OSError where home can't be written."""
    identity = str(uuid.uuid4())
    place = _runs(home)
    os.makedirs(place, mode=0o700, exist_ok=True)
    unfinished = os.path.join(place, f".{identity}")
    os.mkdir(unfinished, mode=0o700)
    lock = os.open(os.path.join(unfinished, "lock"), os.O_CREAT | os.O_RDWR | os.O_EXCL, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    folder = os.path.join(place, identity)
    os.rename(unfinished, folder)  # seen from now on, and locked from the first moment
    return Presence(identity, folder, lock)


def alive(home: str, identity: str) -> bool:
    """Whether the lock is held. A shared lock asks, so that two who ask don't see each other."""
    try:
        lock = os.open(os.path.join(_runs(home), identity, "lock"), os.O_RDONLY)
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENOTDIR)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def gone(home: str) -> list[str]:
    """The ids under `home` whose process has ended without saying so."""
    try:
        names = os.listdir(_runs(home))
    except OSError:
        return []
    for name in names:
        if name.startswith("."):
            _sweep_unfinished(os.path.join(_runs(home), name))
    return [name for name in names if not name.startswith(".") and not alive(home, name)]


def _sweep_unfinished(folder: str) -> None:
    with suppress(OSError):
        if time.time() - os.stat(folder).st_mtime > STALE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def burying(home: str, identity: str) -> Iterator[str | None]:
    """The folder of one that is gone, for one undertaker alone; swept at the end.

    None where somebody else is at it, or was.
    """
    folder = os.path.join(_runs(home), identity)
    try:
        lock = os.open(os.path.join(folder, "lock"), os.O_RDWR)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        yield None
        return
    try:
        yield folder if os.path.isdir(folder) else None
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def _runs(home: str) -> str:
    return os.path.join(home, "runs")
