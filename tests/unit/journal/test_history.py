"""How each run of the journal ended, as `tfevents log` shows it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tfevents.journal import run_lock
from tfevents.journal.fallback_home import find_fallback_home
from tfevents.journal.history import list_latest
from tfevents.journal.journal import open_journal
from tfevents.journal.models import Run, now


def test_a_run_with_its_lock_in_the_fallback_home_is_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With little room on the disk of the home directory, a run's lock is in the fallback home: the
    run is `running` while that lock is held, and `killed` afterwards."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    journal = open_journal(str(tmp_path / "home"))
    lock = run_lock.acquire(find_fallback_home())
    monkeypatch.setattr(run_lock, "_held_identities", set())  # as in any other process
    journal.open_run(Run(lock.identity, "plan", "normal", ".", now()))
    assert [item.end for item in list_latest(journal, 5)] == ["running"]
    lock.release()
    assert [item.end for item in list_latest(journal, 5)] == ["killed"]
