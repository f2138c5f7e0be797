"""Who is still there: a process holds a lock on a file of its own, and a free lock means gone.

Process ids and boot ids mean nothing across containers that share a home; an exclusive lock is
given back by the kernel however its holder ends. The folder beside the lock is the process' own:
private plan files live and die with it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

from tfevents.settings.home import create_private, make_home, make_private

STALE_SECONDS = 86400
"""Where a directory can't be locked, a folder that was never finished is swept after a day."""
TURN, TURNS = 0.005, 20
"""Seconds that a new run waits, and how often, while the unfinished ones are swept."""
NOTE = "run"
"""The private file in which a run notes what it is, before terraform starts."""
ROOM = 32 << 20
"""Bytes. A disk with less is full to us: terraform would have to write a plan there."""

_ours: set[str] = set()
"""This process' own: to ask would be to let go of them on NFS, where locks are the process'."""


@dataclass(frozen=True)
class RunLock:
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
        """What this is, for whoever has to bury it; goes without where there is no room."""
        pairs = (os.fsencode(f"{name}={word}") for name, word in words.items())
        with suppress(OSError), open(self.create_file(NOTE), "wb") as file:
            file.write(b"\0".join(pairs))

    def clear_files(self) -> None:
        """Everything private is gone, but for the lock that says who is there."""
        _clear(self.folder)

    def release(self) -> None:
        """Gone, and everything private with it."""
        _sweep(self.folder)
        with suppress(OSError):
            os.close(self.descriptor)
        _ours.discard(self.identity)


def new_id() -> str:
    """A random UUID (version 4); the standard library's module is slow to wake."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) % 4]
    parts = (digits[:8], digits[8:12], f"4{digits[13:16]}", variant + digits[17:20], digits[20:])
    return "-".join(parts)


def find_fallback_home(*, make: bool = True) -> str:
    """What stands in for home where that can't be written: a directory of this user's alone.

    Raises OSError where there is none, or somebody else has made it.
    """
    place = _made_spare() if make else _found_spare()
    found = os.lstat(place)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(errno.EPERM, "somebody else can write there", place)
    return place


def _made_spare() -> str:
    import tempfile  # rarely wanted, and slow to wake

    place = os.path.join(tempfile.gettempdir(), f"tfevents-{os.getuid()}")
    make_private(place)
    return place


def _found_spare() -> str:
    """Where one would be: in the first directory that tempfile would take."""
    given = (os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    places = [*filter(None, given), "/tmp", "/var/tmp", "/usr/tmp", os.curdir]  # noqa: S108
    usable = (place for place in places if os.access(place, os.W_OK | os.X_OK))
    return os.path.join(os.path.abspath(next(usable, os.curdir)), f"tfevents-{os.getuid()}")


def acquire(home: str, room: int = ROOM) -> RunLock:
    """A new lock under `home`. Raises OSError where home can't be written, is full, or is not
    this user's alone."""
    if not os.path.isabs(home):
        raise FileNotFoundError(errno.ENOENT, "there is no home directory", home)
    identity = new_id()
    place = _runs(home)
    make_home(home)
    make_private(place)
    disk = os.statvfs(place)
    if disk.f_blocks and disk.f_bavail * disk.f_frsize < room:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), place)
    _ours.add(identity)
    making = _shared(place)
    try:
        folder, lock = _made(place, identity)
    finally:
        os.close(making)
    return RunLock(identity, folder, lock)


def _made(place: str, identity: str) -> tuple[str, int]:
    """The folder and its lock."""
    unfinished = os.path.join(place, f".{identity}")
    make_private(unfinished)
    lock = create_private(os.path.join(unfinished, "lock"))
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    folder = os.path.join(place, identity)
    os.rename(unfinished, folder)  # seen from now on, and locked from the first moment
    return folder, lock


def _shared(place: str) -> int:
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


def find_abandoned(home: str) -> list[str]:
    """The ids under `home` whose process has ended without saying so."""
    try:
        names = os.listdir(_runs(home))
    except OSError:
        return []
    if any(name.startswith(".") for name in names):
        _sweep_unfinished(_runs(home))
    return [name for name in names if not name.startswith(".") and not is_held(home, name)]


def _sweep_unfinished(place: str) -> None:
    """What was killed while it was made; nothing where somebody is at it now."""
    with suppress(OSError):
        directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            oldest = _oldest_unfinished(directory)
            for name in os.listdir(place):
                folder = os.path.join(place, name)
                if name.startswith(".") and os.lstat(folder).st_mtime <= oldest:
                    _remove(folder)
        finally:
            os.close(directory)


def _oldest_unfinished(directory: int) -> float:
    """Which of them nobody is making: all that are older than this."""
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return time.time() - STALE_SECONDS
    return float("inf")


def _sweep(folder: str) -> None:
    """All but the lock first: whoever is killed at it leaves what the next one can still bury."""
    with suppress(OSError):
        _clear(folder)
        os.unlink(os.path.join(folder, "lock"))
        os.rmdir(folder)
    if os.path.exists(folder):
        _remove(folder)


def _clear(folder: str) -> None:
    with suppress(OSError):
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if name != "lock":
                _remove(path) if os.path.isdir(path) else os.unlink(path)


def _remove(folder: str) -> None:
    """Everything in it, and itself, as far as that can be done."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


class AbandonedRun:
    """The folder of one that is gone, for one undertaker alone; swept at the end.

    None where somebody else is at it, or was. What went wrong in between leaves it as it is.
    """

    def __init__(self, home: str, identity: str) -> None:
        self._folder, self._lock = os.path.join(_runs(home), identity), -1

    def __enter__(self) -> str | None:
        with suppress(OSError):
            lock = os.open(os.path.join(self._folder, "lock"), os.O_RDWR)
            self._lock = lock
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return self._folder if os.path.isdir(self._folder) else None
        self._let_go()
        if not os.path.lexists(os.path.join(self._folder, "lock")):
            _remove(self._folder)  # its undertaker was killed when all but the folder was gone
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._lock >= 0 and kind is None:
            _sweep(self._folder)
        self._let_go()

    def _let_go(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
        self._lock = -1


def read_note(folder: str) -> dict[str, str]:
    """The note in a folder; empty where there is none, or half of one."""
    try:
        with open(os.path.join(folder, NOTE), "rb") as file:
            pairs = os.fsdecode(file.read()).split("\0")
    except OSError:
        return {}
    return {name: word for name, equals, word in (p.partition("=") for p in pairs) if equals}


def _runs(home: str) -> str:
    return os.path.join(home, "runs")
