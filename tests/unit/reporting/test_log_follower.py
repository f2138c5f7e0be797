"""The core log is read while terraform writes it, and is removed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from tfevents.reporting.log_follower import PIECE, follow
from tfevents.terraform.apply_log import ApplyLog

STAMP = b"2026-11-27T09:22:01.823Z "
PROCESS = STAMP + b'[INFO]  CLI args: []string{"terraform", "apply"}\n'
PLAN = STAMP + b"[INFO]  backend/local: apply calling Plan\n"
APPLY = STAMP + b"[INFO]  backend/local: apply calling Apply\n"
NOISE = STAMP + b"[TRACE] vertex: visit complete\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An empty core log."""
    found = tmp_path / "core.log"
    found.touch(0o600)
    return found


def looks(path: Path, over: Event) -> Iterator[ApplyLog]:
    """The log after each read, until `over` is set."""
    return follow(str(path), over)


def test_it_is_read_while_it_grows(path: Path) -> None:
    """What terraform writes between two reads is known after the second one."""
    over = Event()
    following = looks(path, over)
    with path.open("ab", buffering=0) as terraform:
        assert next(following).processes == 0
        terraform.write(PROCESS)
        assert next(following).processes == 1
        terraform.write(PLAN[:30])
        assert not next(following).planning
        terraform.write(PLAN[30:])
        assert next(following).planning


def test_its_name_is_gone_when_the_run_has_begun(path: Path) -> None:
    """The file is unlinked once terraform plans, and not before: a version manager may start
    terraform twice, and both processes open it by name."""
    over = Event()
    following = looks(path, over)
    with path.open("ab", buffering=0) as terraform:
        terraform.write(PROCESS)
        next(following)
        assert path.exists()
        terraform.write(PLAN)
        next(following)
        assert not path.exists()
        terraform.write(APPLY)  # terraform still has the file open
        over.set()
        *_, last = following
        assert last.applied


def test_a_run_that_is_over_is_read_to_its_end(path: Path) -> None:
    """The log of a run that has already ended is read to its end."""
    over = Event()
    over.set()
    path.write_bytes(PROCESS + PLAN + APPLY)
    (log,) = looks(path, over)
    assert log.applied


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives back a part of a file")
def test_what_was_read_takes_no_place_on_the_disk(path: Path) -> None:
    """The disk blocks of what was read are freed: the log of 10,000 resources has more than 100
    MB."""
    over = Event()
    following = looks(path, over)
    with path.open("ab", buffering=0) as terraform:
        terraform.write(PROCESS + NOISE * (8 * PIECE // len(NOISE)))
        assert next(following).processes == 1
        held = os.stat(path)
        assert held.st_size > 7 * PIECE
        assert held.st_blocks * 512 < held.st_size / 2
        terraform.write(PLAN)
        assert next(following).planning
