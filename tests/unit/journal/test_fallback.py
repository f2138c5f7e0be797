"""The fallback journal, while it is the one in use."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from tfevents.errors import JournalUnavailable
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
        assert find_other_journal(journal.home) is None
        assert merge_fallback(journal) == 0
        assert opened == []
        assert merge_fallback(home) == 0
        assert opened == [journal.home]


def test_an_unusable_fallback_directory_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the directory that can't be used for the fallback journal."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    with pytest.raises(
        JournalUnavailable, match=f"^the fallback directory {tmp_path}/file/tf.+: N"
    ):
        open_fallback()


def test_no_temporary_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """If there is no temporary directory for the fallback journal, the message names none."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", list)
    with pytest.raises(JournalUnavailable, match=r"^the fallback directory can't be used: No us"):
        open_fallback()
