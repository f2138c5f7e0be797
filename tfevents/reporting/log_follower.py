"""Reads terraform's core log while terraform writes it, and removes what was read.

The log holds values from the command line and more. So its file is unlinked as soon as the run's
own process keeps it open, and the disk blocks of what was read are freed.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import suppress
from threading import Event

from tfevents.readers.core_log import CoreLogReader
from tfevents.terraform.apply_log import ApplyLog

POLL, POLL_APPLYING = 0.02, 0.1
"""Seconds between two reads; during an apply nothing is urgent but its end."""
PIECE = 1 << 20
KEEP_SIZE, PUNCH_HOLE = 1, 2
"""Flags of fallocate(2), from linux/falloc.h."""


def follow(path: str, run_ended: Event) -> Iterator[ApplyLog]:
    """Yields the log after each read, with all that was read so far; for the last time when
    `run_ended` is set."""
    reader, is_linked, read = CoreLogReader(), True, 0
    log = reader.log
    with open(path, "r+b", buffering=0) as file:
        ended = False
        while not ended:
            ended = run_ended.wait(POLL_APPLYING if log.has_acted else POLL)
            while data := file.read(PIECE):
                reader.feed(data)
            read = _free_blocks(file.fileno(), read, file.tell())
            log.gaps = log.gaps or _is_full(file.fileno())
            if is_linked and (log.planning or log.applied):
                _remove(path)  # so that what a provisioner starts can't open it any more
                is_linked = False
            yield log


def _is_full(descriptor: int) -> bool:
    """Whether the disk has no room for what terraform writes between two reads. Terraform goes on
    then, and what it could not write is missing from the log."""
    disk = os.fstatvfs(descriptor)
    return bool(disk.f_blocks) and disk.f_bavail * disk.f_frsize < PIECE


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)


def _free_blocks(descriptor: int, start: int, end: int) -> int:
    """Frees the disk blocks of what was read, from `start` to `end`, where the system supports
    that; terraform goes on writing behind them. Gives the `start` for the next call.

    A log of 10,000 resources has more than 100 MB, and may share its disk with the state.
    """
    if end - start >= PIECE:
        with suppress(OSError, AttributeError):
            punch = ctypes.CDLL(None, use_errno=True).fallocate
            offset = ctypes.c_int64
            punch(descriptor, KEEP_SIZE | PUNCH_HOLE, offset(start), offset(end - start))
        return end
    return start
