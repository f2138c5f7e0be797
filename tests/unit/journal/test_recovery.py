"""Recovery of abandoned runs if a journal can't be read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tfevents.errors import JournalUnavailable
from tfevents.journal.fallback import open_fallback
from tfevents.journal.journal import open_journal
from tfevents.journal.recovery import recover_abandoned


def is_open(path: Path) -> bool:
    """Whether this process has the file open."""
    found = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return str(path) in [os.readlink(link) for link in found if os.path.islink(link)]


def test_the_fallback_journal_is_closed_if_home_s_can_t_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If reading the home directory's journal fails, the fallback journal is closed
    nevertheless."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    fallback, journal = open_fallback(), open_journal(str(tmp_path / "home"))
    fallback.close()
    journal.close()
    with pytest.raises(JournalUnavailable, match="closed database") as error:
        recover_abandoned(journal, {})
    assert not is_open(Path(fallback.home) / "journal.db")
    assert error.tb  # the traceback keeps the files alive that were open at the error
