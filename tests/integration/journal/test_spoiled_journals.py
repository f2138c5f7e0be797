"""Damaged journal files: they are read as far as possible, or reported in one line."""

from __future__ import annotations

import random
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from support.fuzzing import Examples

from tfevents.errors import JournalUnavailable
from tfevents.journal.history import list_latest
from tfevents.journal.journal import open_journal
from tfevents.journal.models import Destination, NewEvent, Run, Status, now

WHERE = Destination("acct", "default", "infra", "prod")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory whose journal has ten runs with two events each."""
    place = tmp_path / "home"
    with closing(open_journal(str(place))) as journal:
        for number in range(10):
            run = Run(f"run {number}", "plan", "normal", "work", now(), command="plan")
            journal.open_run(run)
            for name in ("begin", "end"):
                body = {"event_type": "plan", "data": {"name": f"{name} {number}"}}
                journal.put(NewEvent(f"{name} {number}", run.run_id, WHERE, body))
            journal.end_run(run.run_id, 0)
    return place


def spoil(content: bytearray, dice: random.Random) -> bytes:
    """`content` with some bytes changed, or without its end."""
    for _ in range(dice.choice((1, 10, 100))):
        content[dice.randrange(len(content))] = dice.randrange(256)
    return bytes(content[: dice.randrange(len(content))] if dice.random() < 0.2 else content)


def use(home: Path) -> int:
    """Does all that a run and `tfevents log` do with a journal; returns the number of waiting
    events, or 0 without a history."""
    with closing(open_journal(str(home))) as journal:
        latest = list_latest(journal, 50)
        waiting = [
            event for queue in journal.find_queues() for event in journal.find_unsent_events(queue)
        ]
        journal.put(NewEvent("new", "new", WHERE, {"event_type": "plan", "data": {}}))
        journal.settle("new", Status.DELIVERED)
        journal.find_open_hook_runs()
        journal.prune()
        return len(waiting) if latest else 0


def test_a_damage_that_is_no_utf_8_is_told(home: Path) -> None:
    """Damage that is not UTF-8, and which SQLite's own message quotes, raises
    JournalUnavailable."""
    path = home / "journal.db"
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE", b"CRE\xd8TE TABLE"))
    with pytest.raises(JournalUnavailable, match=r"journal\.db can't be used: "):
        open_journal(str(home))


def test_a_statement_that_is_damaged_is_told_in_one_line(home: Path) -> None:
    """A damaged statement in the schema, which SQLite quotes with its line breaks, raises
    JournalUnavailable with one printable line."""
    path = home / "journal.db"
    path.write_bytes(path.read_bytes().replace(b"reason text,", b'reason"text,'))
    with pytest.raises(JournalUnavailable) as told:
        open_journal(str(home)).find_runs()
    assert str(told.value).isprintable()


@pytest.mark.fuzz("journals", 30)
def test_a_spoiled_journal_is_read_or_told(home: Path, tmp_path: Path, examples: Examples) -> None:
    """A damaged journal can be used, or raises JournalUnavailable with one line, upon which a run
    uses another journal."""
    whole, refused = (home / "journal.db").read_bytes(), 0
    for dice in examples:
        place = tmp_path / "spoiled"
        place.mkdir(mode=0o700)
        (place / "journal.db").write_bytes(spoil(bytearray(whole), dice))
        try:
            assert use(place) <= 21
        except JournalUnavailable as error:
            refused += 1
            assert "\n" not in str(error)
        shutil.rmtree(place)
    examples.check_both(refused)
