"""Where downloads of the tests are kept: made once, visible only whole, shared by all workers."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

# Found at import, before a test can change HOME.
_CACHES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def root() -> Path:
    """`TFEVENTS_TEST_CACHE`, else a directory in the user's cache."""
    chosen = os.environ.get("TFEVENTS_TEST_CACHE")
    return Path(chosen) if chosen else _CACHES / "tfevents-tests"


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """The directory `name`, filled by `make` the first time.

    Other processes wait at the lock meanwhile; a `make` that fails leaves nothing behind but a
    note, so that one test run asks an unreachable registry once and not once per test.
    """
    place = root() / name
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(place.with_name(place.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.is_dir():
            _fill(place, make)
    return place


def _fill(place: Path, make: Callable[[Path], None]) -> None:
    note = Path(tempfile.gettempdir()) / f"tfevents-tests-{_run()}-{place.name}-failed"
    if note.exists() and time.time() - note.stat().st_mtime < 600:
        pytest.skip(note.read_text())
    draft = Path(tempfile.mkdtemp(dir=place.parent, prefix="draft-"))
    try:
        make(draft)
        draft.chmod(0o755)
        draft.rename(place)
    except pytest.skip.Exception as reason:
        note.write_text(str(reason))
        raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _run() -> str:
    """One name per test run; pytest-xdist gives its workers a common one."""
    return os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())


def verify(file: Path, integrity: str) -> None:
    """Raise unless the file is the pinned one; `integrity` as npm writes it: `sha512-BASE64`."""
    algorithm, _, wanted = integrity.partition("-")
    found = b64encode(hashlib.new(algorithm, file.read_bytes()).digest()).decode()
    if found != wanted:
        raise RuntimeError(f"{file.name} is not the pinned file: {algorithm}-{found}")
