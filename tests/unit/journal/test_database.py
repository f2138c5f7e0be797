"""The journal's SQLite file while another process holds its lock."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from tfevents.errors import JournalUnavailable
from tfevents.journal import database
from tfevents.journal.database import Database, open_file

SECONDS = 0.5


def seconds_until_unavailable(journal: Database) -> float:
    """The seconds after which a query raises JournalUnavailable."""
    began = time.monotonic()
    with pytest.raises(JournalUnavailable, match="locked"):
        journal.query("select * from runs")
    return time.monotonic() - began


def test_only_the_first_statement_waits_for_a_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a statement has waited for another process' lock in vain, the next ones don't wait,
    until one has succeeded: a run must not wait once for each of its statements."""
    monkeypatch.setattr(database, "BUSY_SECONDS", SECONDS)
    journal = open_file(str(tmp_path))
    holder = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    holder.execute("begin exclusive")
    assert seconds_until_unavailable(journal) >= SECONDS
    assert seconds_until_unavailable(journal) < SECONDS
    holder.execute("rollback")
    assert journal.query("select * from runs") == []
    holder.execute("begin exclusive")
    assert seconds_until_unavailable(journal) >= SECONDS
    holder.close()
    journal.close()
