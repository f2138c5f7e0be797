"""The fallback journal, while it is the one in use."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from tfevents.journal import fallback
from tfevents.journal.fallback import find_other_journal, merge_fallback, open_fallback
from tfevents.journal.journal import Journal, open_journal


def test_the_fallback_journal_is_not_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the fallback journal itself is in use, it is not opened a second time, and no events are
    moved into it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    opened: list[str] = []

    def open_and_note(home: str) -> Journal:
        opened.append(home)
        return open_journal(home)

    with closing(open_fallback()) as journal, closing(open_journal(str(tmp_path / "home"))) as home:
        monkeypatch.setattr(fallback, "open_journal", open_and_note)
        assert find_other_journal(journal) is None
        assert merge_fallback(journal) == 0
        assert opened == []
        assert merge_fallback(home) == 0
        assert opened == [journal.home]
