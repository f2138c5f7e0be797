"""Recovery of abandoned runs if a journal can't be read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tfevents.errors import JournalUnavailable
from tfevents.journal import run_lock
from tfevents.journal.fallback import open_fallback
from tfevents.journal.journal import open_journal
from tfevents.journal.recovery import recover_abandoned
from tfevents.reporting.run import Run
from tfevents.terraform.arguments import parse_arguments
from tfevents.wrapper.run import _write_run_note

SETTINGS = """
harness {
  org     = "o"
  project = "p"
}
workspace "in_default" {
  directory    = "."
  tf_workspace = "default"
}
workspace "in_prod" {
  directory    = "."
  tf_workspace = "prod"
}
"""


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


def test_a_run_restored_from_its_note_keeps_its_terraform_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was killed before it was in the journal is closed for the Harness workspace of the
    terraform workspace that it worked in."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".terraform").mkdir()
    (tmp_path / ".terraform" / "environment").write_text("prod")
    (tmp_path / ".tfevents.hcl").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    lock = run_lock.acquire(str(tmp_path / "home"))
    arguments = parse_arguments(("plan",), {})
    assert arguments is not None
    _write_run_note(Run(arguments, "terraform", {}, lock))
    monkeypatch.setattr(run_lock, "_held_identities", set())
    os.close(lock.descriptor)  # as when killed
    journal = open_journal(lock.home)
    assert recover_abandoned(journal, {}) == 1
    (event,) = journal.find_events()
    assert (event.destination.workspace, event.tf_workspace) == ("in_prod", "prod")
    assert event.body["data"]["tf_workspace"] == "prod"
