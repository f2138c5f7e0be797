"""Finds the processes that use a home directory, by their environment variables."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tfevents.wrapper.sender import NAME

SENDER = b"sender_main"
"""A word in the command line of a sender process that is a new Python."""
SLOWEST = 60.0


def find_processes(home: Path) -> list[int]:
    """The process IDs of all that use this home directory, without zombies."""
    wanted = f"TFEVENTS_HOME={home}".encode()
    return [pid for pid in _pids() if wanted in _read(pid, "environ").split(b"\0")]


def find_sender(parent: int) -> int | None:
    """The process ID of the sender that a wrapper has started; None if there is none (yet)."""
    for pid in _pids():
        forked = _read(pid, "comm").rstrip() == NAME
        if (forked or SENDER in _read(pid, "cmdline")) and _parent(pid) == parent:
            return pid
    return None


def wait_until_gone(home: Path) -> list[int]:
    """Waits for the end of all processes that use this home; returns those left after a minute."""
    end = time.monotonic() + SLOWEST
    while (left := find_processes(home)) and time.monotonic() < end:
        time.sleep(0.15)
    return left


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _parent(pid: int) -> int:
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def _read(pid: int, name: str) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_bytes()
    return b""
