"""Locks that show which processes are alive: each holds the lock on a file of its own.

Process ids and boot ids mean nothing across containers that share a home directory; an exclusive
lock is released by the kernel however the lock holder ends. The folder of the lock file belongs to
the process alone: its private plan files are in it and are removed with it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NamedTuple

from tfevents.errors import JournalUnavailable
from tfevents.settings.home import create_private, make_home, make_private

POLL_SECONDS, POLLS = 0.005, 20
"""How long, in seconds, and how often a new run waits while unfinished folders are removed."""
LOCK = "lock"
NOTE = "run"
"""The private file in which a run describes itself before terraform starts."""
ROOM = 32 << 20
"""The free bytes that a disk must have for a run, as terraform writes a plan there."""

_held_identities: set[str] = set()
"""The identities of the locks that this process holds. `is_held` must not open their files: on NFS,
locks belong to the process, and closing a second descriptor would release them."""
os.register_at_fork(after_in_child=_held_identities.clear)


class RunLock(NamedTuple):
    """A held lock: its id, the process' private folder, and the lock file's descriptor."""

    identity: str
    folder: str
    descriptor: int

    @property
    def home(self) -> str:
        """The home directory that the lock is in, as `is_held` takes it."""
        return os.path.dirname(os.path.dirname(self.folder))

    def path(self, name: str) -> str:
        """The path of a private file."""
        return os.path.join(self.folder, name)

    def create_file(self, name: str) -> str:
        """Creates an empty private file (0600), replacing any; returns its path.

        Another program that writes to it keeps the mode.
        """
        path = self.path(name)
        with suppress(FileNotFoundError):
            os.unlink(path)
        os.close(create_private(path))
        return path

    def write_note(self, words: Mapping[str, str]) -> None:
        """Writes the run's description, for recovery if it is abandoned; an OSError is ignored."""
        pairs = (os.fsencode(f"{name}={word}") for name, word in words.items())
        with suppress(OSError), open(self.create_file(NOTE), "wb") as file:
            file.write(b"\0".join(pairs))

    def clear_files(self) -> None:
        """Removes all private files; the lock stays held."""
        remove_files(self.folder)

    def release(self) -> None:
        """Removes the folder with all private files, and releases the lock."""
        remove_folder(self.folder)
        with suppress(OSError):
            os.close(self.descriptor)
        _held_identities.discard(self.identity)


def acquire(home: str, room: int = ROOM) -> RunLock:
    """Acquires a new lock under `home`, created if missing. `room`: the free bytes needed.

    Raises OSError where home can't be written, has too little room, or is not this user's alone.
    """
    if not os.path.isabs(home):
        raise FileNotFoundError(errno.ENOENT, "there is no home directory", home)
    identity = make_run_id()
    runs_path = runs_folder(home)
    make_home(home)
    make_private(runs_path)
    disk = os.statvfs(runs_path)
    if disk.f_blocks and disk.f_bavail * disk.f_frsize < room:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), runs_path)
    _held_identities.add(identity)
    descriptor = _lock_shared(runs_path)
    try:
        folder, lock = _create_locked_folder(runs_path, identity)
    finally:
        os.close(descriptor)
    return RunLock(identity, folder, lock)


def make_run_id() -> str:
    """A new id, for a run and its lock: 128 random bits as hexadecimal digits. Importing `uuid`
    would delay terraform."""
    return os.urandom(16).hex()


def _create_locked_folder(runs_path: str, identity: str) -> tuple[str, int]:
    """Creates a run's folder with its lock held; returns its path and the lock's descriptor."""
    unfinished = os.path.join(runs_path, f".{identity}")
    make_private(unfinished)
    lock = create_private(os.path.join(unfinished, LOCK))
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    folder = os.path.join(runs_path, identity)
    os.rename(unfinished, folder)  # visible from now on, and locked already
    return folder, lock


def _lock_shared(runs_path: str) -> int:
    """Locks the runs folder shared while a run's folder is created in it; returns the descriptor.

    An exclusive lock on it (see abandoned.py) thus shows that no folder is being created. If the
    lock can't be acquired in time, or locks aren't supported, continues without it.
    """
    directory = os.open(runs_path, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(POLLS):
        try:
            fcntl.flock(directory, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(POLL_SECONDS)
        except OSError:
            break  # a file system without locks
        else:
            break
    return directory


def is_own(identity: str) -> bool:
    """Whether this process holds the lock with this identity."""
    return identity in _held_identities


def is_held(home: str, identity: str) -> bool:
    """Whether the lock with this identity is held; True where that can't be found out.

    Tries a shared lock, so that two processes that check at once don't mistake each other for the
    lock holder.
    """
    if identity in _held_identities:
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
    """Removes the files in a folder, except for the lock file; an OSError ends it."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if name != LOCK:
                os.unlink(os.path.join(folder, name))


def remove_folder(folder: str) -> None:
    """Removes a run's folder, the lock file last: if killed meanwhile, recovery still finds it."""
    remove_files(folder)
    with suppress(OSError):
        os.unlink(os.path.join(folder, LOCK))
        os.rmdir(folder)


def runs_folder(home: str) -> str:
    """The directory of the runs' folders in a home directory."""
    return os.path.join(home, "runs")


@contextmanager
def hold_lock(home: str) -> Iterator[RunLock]:
    """Holds a lock whose identity can claim events of the journal in `home`.

    Needs no free disk space, as no plan is written. Raises JournalUnavailable.
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
