"""Rows of the journal that can't be read: each is reported in one line and affects no other row, in
any command."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from support.endpoint import Endpoint
from support.exhaustive import exhaustive_except
from support.machine import Machine
from support.warm import run_tfevents

from tfevents.journal.journal import open_journal
from tfevents.journal.models import Destination, NewEvent, Queue, Run, Status, now
from tfevents.settings.environment import MAX_LENGTHS
from tfevents.settings.load import load_settings

EVENT = (
    *("event_id", "run_id", "account", "org", "project", "workspace", "body", "status", "reason"),
    *("attempts", "put_at", "settled_at", "directory", "tf_workspace", "given"),
)
RUN = (
    *("run_id", "key", "command", "operation", "mode", "directory", "opened_at", "ended_at"),
    *("exit_code", "base"),
)
DAMAGES = {
    "nothing": "null",
    "bytes": "x'ff00fe'",
    "no UTF-8": "cast(x'61ff62' as text)",
    "a word": "'archived'",
    "torn": '\'{"event_type": "pl\'',
    "a list": "'[1, [2]]'",
    "lists": '\'{"event_type": "plan", "data": [1], "metadata": [], "destination": [2]}\'',
    "numbers": '\'{"event_type": 1, "data": {"run_id": 2}, "destination": {"account": 3}}\'',
    "digits": "'{\"event_type\": \"plan\", \"x\": ' || printf('%.*c', 5000, '9') || '}'",
    "deep": "printf('%.*c', 100000, '[')",
    "absurdly long": "printf('%.*c', 3000000, 'x')",
    "long kind": "'{\"event_type\": \"' || printf('%.*c', 100000, 'x') || '\"}'",
}
WHERE = Destination("acct", "default", "infra", "prod")


def put(machine: Machine, name: str, where: Destination = WHERE, run: str = "mine") -> None:
    """Puts an event called `name` of the run `run`."""
    body = {"event_type": "plan", "data": {"name": name, "run_id": run}}
    with closing(open_journal(str(machine.home))) as journal:
        journal.put(NewEvent(name, run, where, body, directory="/gone", tf_workspace="default"))


@contextmanager
def damaging(machine: Machine) -> Iterator[sqlite3.Connection]:
    """A connection to the journal, whose changes are committed at the end."""
    with closing(sqlite3.connect(machine.home / "journal.db")) as db, db:
        yield db


def shown(machine: Machine) -> tuple[list[str], list[str]]:
    """The names of the good events in the JSON of `tfevents log`, and its lines on stderr. Asserts
    that the table is printed to its end, too."""
    table = run_tfevents(["log", "-n", "1000"], env=machine.env, cwd=machine.root)
    assert table.returncode == 0
    text = run_tfevents(["log", "-n", "1000", "--json"], env=machine.env, cwd=machine.root)
    assert text.returncode == 0
    assert text.stderr == table.stderr
    names = [name for name in ("first", "last", "unowned") if f'"{name}"' in text.stdout.decode()]
    return names, text.stderr.decode().splitlines()


@pytest.mark.exhaustive
@pytest.mark.parametrize("status", exhaustive_except(["pending", "delivered"], "pending"))
def test_events(machine: Machine, endpoint: Endpoint, status: str) -> None:
    """In a journal where each column of an event has each damage, the other events are shown, and
    delivered once and in order by a run, a flush and an assignment; each damaged row is reported in
    one line at most."""
    put(machine, "first")
    damaged = [(column, damage) for column in EVENT for damage in DAMAGES.values()]
    for number in range(len(damaged)):
        put(machine, f"damaged {number}")
    put(machine, "last")
    put(machine, "unowned", Destination("acct"))
    with damaging(machine) as db:
        db.execute("update events set status = ? where event_id like 'damaged %'", (status,))
        for number, (column, damage) in enumerate(damaged):
            db.execute(f"update events set {column} = {damage} where seq = ?", (number + 2,))
    names, lines = shown(machine)
    assert names == ["first", "last", "unowned"]
    assert lines
    assert len(lines) == len(set(lines)) <= len(damaged)
    env = machine.reporting_to(endpoint.url)
    assert "reported to" in machine.tf("plan", at=machine.project(), env=env).stderr
    flushed = machine.flush(env)
    told = (flushed.stdout + flushed.stderr).splitlines()
    assert len(told) == len(set(told))
    assert all(len(line) < 1000 for line in [*told, *lines])
    machine.flush(env, "--assign", "prod", "--directory", "/gone", "--tf-workspace", "default")
    good = [e["data"]["name"] for e in endpoint.events if "name" in e["data"]]
    assert [name for name in good if name in ("first", "last", "unowned")] == [
        *("first", "last", "unowned")
    ]
    again = machine.flush(env)
    assert "can't be read" not in again.stdout + again.stderr
    assert shown(machine)[0] == ["first", "last", "unowned"]


@pytest.mark.parametrize("ended", exhaustive_except([True, False], False), ids=["ended", "open"])
def test_runs(machine: Machine, endpoint: Endpoint, ended: bool) -> None:
    """In a journal where each column of a run has each damage, events of damaged runs are shown and
    delivered, and a flush, which closes abandoned runs, succeeds."""
    damaged = [(column, damage) for column in RUN for damage in DAMAGES.values()]
    with closing(open_journal(str(machine.home))) as journal:
        for name in ("mine", *(f"run {number}" for number in range(len(damaged)))):
            journal.open_run(Run(name, "plan", "normal", "work", now(), key="k", command="plan"))
            if ended:
                journal.end_run(name, 0)
    put(machine, "first", run="run 3")  # the id of its run can't be read
    put(machine, "last", run=f"run {len(damaged) - 3}")  # the base of its run can't be read
    with damaging(machine) as db:
        for number, (column, damage) in enumerate(damaged):
            db.execute(f"update or ignore runs set {column} = {damage} where rowid = {number + 2}")
    names, lines = shown(machine)
    assert names == ["first", "last"]
    assert lines
    assert all(len(line) < 200 for line in lines)
    env = machine.reporting_to(endpoint.url)
    done = machine.flush(env)
    assert (done.returncode, done.stderr) == (0, "")
    assert [event["data"]["name"] for event in endpoint.events] == ["first", "last"]


def test_claims(machine: Machine, endpoint: Endpoint) -> None:
    """Claims whose owner can't be read do not block any queue."""
    for number in range(len(DAMAGES)):
        put(machine, str(number), Destination("acct", "default", "infra", f"w{number}"))
    with damaging(machine) as db:
        for number, damage in enumerate(DAMAGES.values()):
            lane = f'["acct", "default", "infra", "w{number}"]'
            db.execute(f"insert into claims values (?, {damage})", (lane,))
        db.execute("insert into claims values (x'ff', x'ff')")
    assert machine.flush(machine.reporting_to(endpoint.url)).returncode == 0
    assert len(endpoint.events) == len(DAMAGES)


def test_the_longest_names_that_settings_allow(machine: Machine) -> None:
    """An event for the longest account, org, project and workspace that the settings accept is not
    taken for damaged: it is read as it was put."""
    longest = {f"TFEVENTS_{name.upper()}": "n" * most for name, most in MAX_LENGTHS.items()}
    found = load_settings({**machine.env, **longest}, str(machine.root))
    where = Destination.of(found)
    assert [len(name or "") for name in (where.account, where.workspace)] == [128, 1024]
    put(machine, "first", where)
    with closing(open_journal(str(machine.home))) as journal:
        assert journal.find_queues() == [Queue(where)]
        (event,) = journal.find_unsent_events(Queue(where))
        assert (event.event_id, event.destination) == ("first", where)
        assert journal.unreadable == []


def test_a_reason_of_any_length_is_cut(machine: Machine) -> None:
    """A reason that quotes a long setting is cut when it is stored, so that the event, and the end
    event of its abandoned run, can be read again."""
    long = "can't read " + "x" * 20_000
    with closing(open_journal(str(machine.home))) as journal:
        journal.open_run(Run("mine", "plan", "normal", ".", now(), base={"waits": long}))
        journal.put(NewEvent("event", "mine", WHERE, {"event_type": "plan"}, reason=long))
        (event,) = journal.find_unsent_events(Queue(WHERE))
        assert event.reason == long[:1000]
        journal.settle("event", Status.REFUSED, long)
        (event,) = journal.find_events()
        assert event.reason == long[:1000]
        run = journal.find_run("mine")
        assert run is not None
        assert run.base == {"waits": long[:1000]}
        assert journal.unreadable == []
