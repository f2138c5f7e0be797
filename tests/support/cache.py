"""The cache of what tests download: made once, visible only when complete, shared by all
workers."""

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

# Read at import, before a test can change HOME.
_CACHES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def root() -> Path:
    """The cache directory: `TFEVENTS_TEST_CACHE`, else a directory in the user's cache."""
    chosen = os.environ.get("TFEVENTS_TEST_CACHE")
    return Path(chosen) if chosen else _CACHES / "tfevents-tests"


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """The directory `name` in the cache, filled by `make` the first time.

    Other processes wait for its lock meanwhile. A `make` that skips the test leaves nothing but a
    note of the reason, valid for ten minutes: one test run asks an unreachable registry once, not
    once per test.
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
    """An ID of the test run, which pytest-xdist's workers share."""
    return os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())


def verify(file: Path, integrity: str) -> None:
    """Raises RuntimeError unless the file has the pinned checksum; `integrity` as npm writes it:
    `sha512-BASE64`."""
    algorithm, _, wanted = integrity.partition("-")
    found = b64encode(hashlib.new(algorithm, file.read_bytes()).digest()).decode()
    if found != wanted:
        raise RuntimeError(f"{file.name} is not the pinned file: {algorithm}-{found}")
