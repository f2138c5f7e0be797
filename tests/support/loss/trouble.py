"""What goes wrong besides the kills: a full disk, a clock that jumps."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

SIZE = 40 << 20
"""Bytes of the disk: a few more than tfevents wants to find free."""


@contextmanager
def small_disk(place: Path) -> Iterator[bool]:
    """Mounts a file system of its own at `place`; yields False if this is not permitted."""
    words = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tfevents-loss", place]
    mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk: Path, room: int) -> None:
    """Fills the disk until only `room` bytes are left."""
    with open(disk / "filler", "ab", buffering=0) as file, suppress(OSError):
        while (left := _find_free(disk)) > room:
            file.write(b"\0" * min(left - room, 1 << 20))


def free(disk: Path) -> None:
    """Makes room on the disk again."""
    (disk / "filler").unlink(missing_ok=True)


def _find_free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


def set_times(home: Path, put_at: str) -> None:
    """Sets the times of all events and runs in a journal, as if the clock had jumped since."""
    with suppress(sqlite3.OperationalError), closing(_open(home)) as db, db:
        db.execute("update events set put_at = ?", (put_at,))
        db.execute("update runs set opened_at = ?", (put_at[:19] + "Z",))


def _open(home: Path) -> sqlite3.Connection:
    """Opens an existing journal; raises sqlite3.OperationalError if there is none."""
    return sqlite3.connect(f"file:{home}/journal.db?mode=rw", uri=True, timeout=20)
