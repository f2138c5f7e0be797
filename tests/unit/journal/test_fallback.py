"""The fallback journal, while it is the one in use."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from tfevents.errors import DeliveryError, JournalUnavailable
from tfevents.journal import fallback, run_lock
from tfevents.journal.fallback import (
    JournalFallback,
    find_other_journal,
    merge_fallback,
    open_fallback,
)
from tfevents.journal.journal import Journal, open_journal
from tfevents.journal.models import Destination, NewEvent, Queue

WHERE = Destination("acct", "default", "infra", "prod")


def make_event(name: str, run: str = "run", workspace: str = "prod") -> NewEvent:
    """An event with the id `name`."""
    where = Destination("acct", "default", "infra", workspace)
    return NewEvent(name, run, where, {"event_type": "plan"})


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


def test_no_fallback_journal_in_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is created in the current directory, which Python takes as the temporary directory if
    no other can be written to."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(
        JournalUnavailable, match=r"^the fallback directory can't be used: no temporary directory"
    ):
        open_fallback()
    assert list(tmp_path.iterdir()) == []


def test_an_event_is_kept_though_its_sender_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the home directory's journal can't be written, the event is in the fallback journal even
    if the sender process can't be started again."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def restart_sender() -> None:
        raise DeliveryError("nothing can be sent: no process")

    problems: list[Exception] = []
    journals = JournalFallback(problems.append, restart_sender)
    journals.open(str(tmp_path / "home"))
    journals.journal.close()
    journals.write(Journal.put, make_event("event"))
    assert [event.event_id for event in journals.find_events("run")] == ["event"]
    assert [str(problem) for problem in problems][-1] == "nothing can be sent: no process"


def test_the_fallback_journal_is_one_for_all_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If an event is put into the fallback journal before opening the home directory's journal has
    failed, the event is counted once and does not count as an older event."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "home").touch()
    journals = JournalFallback(lambda _: None, lambda: None)
    journals.write(Journal.put, make_event("event"))
    journals.open(str(tmp_path / "home"))
    assert [event.event_id for event in journals.find_events("run")] == ["event"]
    assert not journals.has_older_events([Queue(WHERE)])


@pytest.mark.parametrize("place", ["home", "fallback"])
def test_the_events_of_a_living_run_are_not_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Events of a run whose process is alive, and older ones of its destination, stay in the
    fallback journal, from which the run's sender process sends them in order. The run's lock may be
    in either home directory."""
    lock = run_lock.acquire(str(tmp_path / place))
    other, home = (open_journal(str(tmp_path / name)) for name in ("fallback", "home"))
    other.put(make_event("older"))
    other.put(make_event("its", lock.identity))
    other.put(make_event("elsewhere", workspace="test"))
    with monkeypatch.context() as patch:
        patch.setattr(run_lock, "_held_identities", set())  # as in any other process
        assert other.move_to(home) == 1
    assert [event.event_id for event in other.find_events()] == ["its", "older"]
    assert other.move_to(home) == 2  # by the run's own process
    lock.release()


def test_the_events_of_an_ended_run_are_moved(tmp_path: Path) -> None:
    """Once its process has ended, a run's events are moved."""
    lock = run_lock.acquire(str(tmp_path / "home"))
    other, home = (open_journal(str(tmp_path / name)) for name in ("fallback", "home"))
    other.put(make_event("its", lock.identity))
    lock.release()
    assert other.move_to(home) == 1
