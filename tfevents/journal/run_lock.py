"""Who is still there: a process holds a lock on a file of its own, and a free lock means gone.

Process ids and boot ids mean nothing across containers that share a home; an exclusive lock is
given back by the kernel however its holder ends. The folder beside the lock is the process' own:
private plan files live and die with it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NamedTuple
from uuid import uuid4

from tfevents.errors import JournalUnavailable
from tfevents.settings.home import create_private, make_home, make_private

TURN, TURNS = 0.005, 20
"""Seconds that a new run waits, and how often, while the unfinished ones are swept."""
LOCK = "lock"
NOTE = "run"
"""The private file in which a run notes what it is, before terraform starts."""
ROOM = 32 << 20
"""Bytes. A disk with less is full to us: terraform would have to write a plan there."""

_ours: set[str] = set()
"""This process' own: to ask would be to let go of them on NFS, where locks are the process'."""


class RunLock(NamedTuple):
    """One living process: its id, its private folder and the lock that proves it."""

    identity: str
    folder: str
    descriptor: int

    @property
    def home(self) -> str:
        """Under which home it can be asked for."""
        return os.path.dirname(os.path.dirname(self.folder))

    def path(self, name: str) -> str:
        """A private file's place."""
        return os.path.join(self.folder, name)

    def create_file(self, name: str) -> str:
        """A private file (0600), empty, for somebody else to fill: its mode stays."""
        path = self.path(name)
        with suppress(FileNotFoundError):
            os.unlink(path)
        os.close(create_private(path))
        return path

    def write_note(self, words: Mapping[str, str]) -> None:
        """What this is, for whoever finds it abandoned; goes without where there is no room."""
        pairs = (os.fsencode(f"{name}={word}") for name, word in words.items())
        with suppress(OSError), open(self.create_file(NOTE), "wb") as file:
            file.write(b"\0".join(pairs))

    def clear_files(self) -> None:
        """Everything private is gone, but for the lock that says who is there."""
        remove_files(self.folder)

    def release(self) -> None:
        """Gone, and everything private with it."""
        remove_folder(self.folder)
        with suppress(OSError):
            os.close(self.descriptor)
        _ours.discard(self.identity)


def acquire(home: str, room: int = ROOM) -> RunLock:
    """A new lock under `home`. Raises OSError where home can't be written, is full, or is not
    this user's alone."""
    if not os.path.isabs(home):
        raise FileNotFoundError(errno.ENOENT, "there is no home directory", home)
    identity = str(uuid4())
    place = runs_folder(home)
    make_home(home)
    make_private(place)
    disk = os.statvfs(place)
    if disk.f_blocks and disk.f_bavail * disk.f_frsize < room:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), place)
    _ours.add(identity)
    making = _lock_shared(place)
    try:
        folder, lock = _create_locked_folder(place, identity)
    finally:
        os.close(making)
    return RunLock(identity, folder, lock)


def _create_locked_folder(place: str, identity: str) -> tuple[str, int]:
    """The folder and its lock."""
    unfinished = os.path.join(place, f".{identity}")
    make_private(unfinished)
    lock = create_private(os.path.join(unfinished, LOCK))
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    folder = os.path.join(place, identity)
    os.rename(unfinished, folder)  # seen from now on, and locked from the first moment
    return folder, lock


def _lock_shared(place: str) -> int:
    """Held while a folder is made in it: whoever has it alone knows that none is."""
    directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(TURNS):
        try:
            fcntl.flock(directory, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(TURN)
        except OSError:
            break  # a file system without
        else:
            break
    return directory


def is_held(home: str, identity: str) -> bool:
    """Whether the lock is held. A shared lock asks, so that two who ask don't see each other."""
    if identity in _ours:
        return True
    try:
        lock = os.open(os.path.join(runs_folder(home), identity, LOCK), os.O_RDONLY)
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENOTDIR)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def remove_files(folder: str) -> None:
    """Removes what is in it, but for the lock."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if name != LOCK:
                os.unlink(os.path.join(folder, name))


def remove_folder(folder: str) -> None:
    """All but the lock first: whoever is killed at it leaves what the next one can still find."""
    remove_files(folder)
    with suppress(OSError):
        os.unlink(os.path.join(folder, LOCK))
        os.rmdir(folder)


def runs_folder(home: str) -> str:
    """Where the folders of living runs are, under a home."""
    return os.path.join(home, "runs")


@contextmanager
def hold_lock(home: str) -> Iterator[RunLock]:
    """A lock under which events of the journal in `home` can be claimed; it has no room for plans.

    Raises JournalUnavailable.
    """
    try:
        lock = acquire(home, room=0)
    except OSError as error:
        reason = f"{os.path.join(home, 'runs')} can't be written: {error.strerror}"
        raise JournalUnavailable(reason) from None
    try:
        yield lock
    finally:
        lock.release()
