"""One journal used by many processes: each event is sent once and in order, whichever process is
killed."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace
from support.endpoint import Endpoint
from support.machine import Machine, ids, until
from support.nowhere import closed_port
from support.step import HANG, NORMAL, RECORDED_BUT_CUT_OFF, answer

from tfevents.deadline import Deadline
from tfevents.delivery.sender import FIRST_PAUSE, FlushState, Sender
from tfevents.errors import JournalUnavailable
from tfevents.journal import abandoned, retention, run_lock
from tfevents.journal.database import Database
from tfevents.journal.journal import Journal, open_journal
from tfevents.journal.models import Destination, NewEvent, Queue, Run, Status, now, own_queues
from tfevents.journal.ownership import find_destinations
from tfevents.settings.model import ApiKey, Settings

WHERE = Destination("acct", "default", "infra", "prod")

PUT_AND_FLUSH = """
import sys, uuid
from tfevents.journal import run_lock
from tfevents.deadline import Deadline
from tfevents.delivery.sender import FIRST_PAUSE, FlushState, Sender
from tfevents.journal.models import Destination, NewEvent, Queue
from tfevents.journal.journal import open_journal
from tfevents.settings.model import ApiKey, Settings
home, url, who, workspace, count = sys.argv[1:]
journal = open_journal(home)
lock = run_lock.acquire(home)
print(lock.identity, flush=True)
where = Destination("acct", "default", "infra", workspace)
sender = Sender(journal, Settings(home, url=url, api_key=ApiKey("pat.acct.t.s")), lock.identity)
for number in range(int(count)):
    data = {"event_id": str(uuid.uuid4()), "who": who, "number": str(number)}
    body = {"event_type": "plan", "data": data}
    journal.put(NewEvent(data["event_id"], lock.identity, where, body))
    sender.flush({Queue(where): where}, FlushState(Deadline(60), wait_for_claims=True))
lock.release()
"""


def settings(home: Path, url: str, **more: str | None) -> Settings:
    """Settings for the server at `url`, with an API key."""
    return Settings(str(home), url=url, api_key=ApiKey("pat.acct.t.s"), **more)  # type: ignore[arg-type]


def put(journal: Journal, *names: str, where: Destination = WHERE) -> None:
    """Puts an event for each name."""
    for name in names:
        data = {"event_id": str(uuid.uuid4()), "name": name}
        body = {"event_type": "plan", "data": data}
        journal.put(NewEvent(data["event_id"], "run", where, body))


def flush(home: Path, journal: Journal, url: str, seconds: float = 20, **options: object) -> object:
    """The result of a flush as by a process of its own, with its own run lock. `options`: those of
    FlushState, and `settings`."""
    lock = run_lock.acquire(str(home))
    try:
        more = options.pop("settings", settings(home, url))
        sender = Sender(journal, more, lock.identity)  # type: ignore[arg-type]
        refused = bool(options.get("refused"))
        where = find_destinations(journal, more, {}, refused=refused)  # type: ignore[arg-type]
        done = sender.flush(where, FlushState(Deadline(seconds), **options))  # type: ignore[arg-type]
        sender.close()
        return done
    finally:
        lock.release()


def names(endpoint: Endpoint) -> list[str]:
    """The names of the received events, in order."""
    return [event["data"]["name"] for event in endpoint.events if "name" in event["data"]]


# Many processes at the same time


@pytest.mark.exhaustive
def test_eight_processes_deliver_each_event_once_and_in_order(
    machine: Machine, endpoint: Endpoint
) -> None:
    """If eight processes put and flush fifty events each at the same time, on two workspaces, each
    event is received once and in order."""
    running = [
        machine.python(
            PUT_AND_FLUSH, str(machine.home), endpoint.url, str(who), f"w{who % 2}", "50"
        )
        for who in range(8)
    ]
    for process in running:
        _, error = process.communicate(timeout=170)
        assert (process.returncode, error) == (0, "")
    received = [r for r in endpoint.requests if r.recorded]
    assert len(received) == 400
    assert len(set(ids(endpoint.events))) == 400
    for who in range(8):
        mine = [e["data"]["number"] for e in endpoint.events if e["data"]["who"] == str(who)]
        assert mine == [str(number) for number in range(50)]
    for workspace in ("w0", "w1"):
        heard = [r.event for r in received if r.place and r.place.workspace == workspace]
        query = f"select event_id from events where workspace = '{workspace}' order by seq"
        assert ids([event for event in heard if event]) == machine.rows(query)
    assert set(machine.statuses()) == {"delivered"}


@pytest.mark.exhaustive
def test_killed_at_any_moment_nothing_recorded_is_lost(
    machine: Machine, endpoint: Endpoint
) -> None:
    """After processes that flush were killed at random, one flush delivers the rest at once and in
    order; only events whose response was cut off are received twice, with the same body."""
    draw = random.Random(7)
    for round_ in range(6):
        words = (str(machine.home), endpoint.url, str(round_), "w", "500")
        running = [machine.python(PUT_AND_FLUSH, *words) for _ in range(2)]
        enough = len(endpoint.requests) + draw.randrange(5, 40)
        endpoint.wait_for_requests(enough, 60)
        if round_ == 5:
            endpoint.always(HANG)  # so that one request at least is in flight
            endpoint.wait_for_requests(len(endpoint.requests) + 1, 60)
        for process in running:
            process.kill()
            process.communicate()
    endpoint.always(NORMAL)
    assert machine.statuses().count("pending") >= 1
    journal = open_journal(str(machine.home))
    done = flush(machine.home, journal, endpoint.url)
    journal.close()
    assert done.kept == []  # type: ignore[attr-defined]
    assert set(machine.statuses()) == {"delivered"}
    heard = [r.event for r in endpoint.requests if r.recorded and r.event]
    order = machine.rows("select event_id from events order by seq")
    assert list(dict.fromkeys(ids(heard))) == order
    assert len(heard) - len(order) <= 12
    assert all(a == b for a, b in zip(*_twins(heard), strict=True))


def _twins(heard: list[dict[str, object]]) -> tuple[list[object], list[object]]:
    """The first and the second bodies of the events that were received twice."""
    first: dict[str, object] = {}
    pairs: tuple[list[object], list[object]] = ([], [])
    for event in heard:
        (event_id,) = ids([event])
        if event_id in first:
            pairs[0].append(first[event_id])
            pairs[1].append(event)
        first[event_id] = event
    return pairs


def test_an_answer_that_is_cut_off_is_the_one_case_of_a_twin(
    machine: Machine, endpoint: Endpoint
) -> None:
    """An event whose response was cut off is sent again with the same event_id, since the sender
    can't know that it was recorded."""
    journal = open_journal(str(machine.home))
    put(journal, "a", "b")
    endpoint.script(RECORDED_BUT_CUT_OFF)
    flush(machine.home, journal, endpoint.url)
    assert names(endpoint) == ["a", "a", "b"]
    assert len(set(ids(endpoint.events))) == 2
    journal.close()


# Claims


def test_a_claim_of_the_dead_is_void_at_once(machine: Machine, endpoint: Endpoint) -> None:
    """The claim of a process that was killed during a request is void at once; the next flush does
    not wait for a timeout."""
    endpoint.always(answer(503, retry_after=3600))
    endpoint.script(answer(200).but(delay=600.0))
    process = machine.python(PUT_AND_FLUSH, str(machine.home), endpoint.url, "0", "prod", "1")
    endpoint.wait_for_requests(1)
    assert machine.rows("select count(*) from claims") == [1]
    process.kill()
    process.communicate()
    endpoint.always(NORMAL)
    journal = open_journal(str(machine.home))
    done = flush(machine.home, journal, endpoint.url)
    assert len(done.delivered) == 1  # type: ignore[attr-defined]
    assert machine.rows("select count(*) from claims") == [0]
    journal.close()


def test_a_lane_that_a_living_process_is_sending_is_skipped_and_told(
    machine: Machine, endpoint: Endpoint
) -> None:
    """A queue that a running process is sending is skipped, and the reason says so; other queues
    are sent."""
    endpoint.script(answer(200).but(delay=600.0))
    process = machine.python(PUT_AND_FLUSH, str(machine.home), endpoint.url, "0", "prod", "1")
    endpoint.wait_for_requests(1)
    journal = open_journal(str(machine.home))
    put(journal, "mine")
    put(journal, "other", where=Destination("acct", "default", "infra", "other"))
    done = flush(machine.home, journal, endpoint.url)
    assert names(endpoint)[-1:] == ["other"]
    assert len(done.kept) == 2  # type: ignore[attr-defined]
    assert done.reason == "another tfevents is sending it"  # type: ignore[attr-defined]
    process.kill()
    process.communicate()
    journal.close()


def test_a_claim_is_not_held_while_waiting_for_better_times(
    machine: Machine, endpoint: Endpoint
) -> None:
    """While a long apply waits to retry its start event after a 503, its claim is released, so that
    another process' flush can send the event."""
    endpoint.script(answer(503, retry_after=3600))
    process = machine.python(
        PUT_AND_FLUSH.replace("Deadline(60)", "Deadline(86400)"),
        *(str(machine.home), endpoint.url, "0", "prod", "1"),
    )
    endpoint.wait_for_requests(1)
    until(lambda: machine.rows("select count(*) from claims") == [0])
    journal = open_journal(str(machine.home))
    done = flush(machine.home, journal, endpoint.url)
    assert len(done.delivered) == 1  # type: ignore[attr-defined]
    process.kill()
    process.communicate()
    assert len(endpoint.events) == 1
    journal.close()


def test_presence_is_seen_across_containers(machine: Machine) -> None:
    """Run locks show which processes are alive even if two containers share a home directory and
    their processes have the same process id."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare")
    stay = "import sys, os; from tfevents.journal import run_lock\n"
    stay += "p = run_lock.acquire(sys.argv[1]); print(os.getpid(), p.identity, flush=True)\n"
    stay += "sys.stdin.read()"
    running = [
        subprocess.Popen(
            [
                "unshare",
                "--pid",
                "--fork",
                "--kill-child",
                sys.executable,
                "-c",
                stay,
                machine.home,
            ],
            env=machine.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    lines = [process.stdout.readline() for process in running]  # type: ignore[union-attr]
    if not all(lines):
        pytest.skip("this kernel gives us no pid namespaces")
    assert {line.split()[0] for line in lines} == {"1"}
    identities = [line.split()[1] for line in lines]
    assert abandoned.find_abandoned(str(machine.home)) == []
    running[0].send_signal(signal.SIGKILL)
    until(lambda: abandoned.find_abandoned(str(machine.home)) == identities[:1])
    for process in running:
        process.kill()
        process.communicate()


def test_ones_own_presence_is_never_asked_for(tmp_path: Path) -> None:
    """A process does not open its own lock file to check it: on NFS a lock belongs to the process,
    and closing the file again would release it."""
    lock = run_lock.acquire(str(tmp_path))
    assert run_lock.is_held(str(tmp_path), lock.identity)
    assert abandoned.find_abandoned(str(tmp_path)) == []
    lock.release()
    assert not run_lock.is_held(str(tmp_path), lock.identity)
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_burial_that_was_interrupted_is_finished_by_the_next(tmp_path: Path) -> None:
    """A removal that was interrupted is completed by the next process: the lock file is removed
    last, so that a folder with a plan in it is always found."""
    folder = tmp_path / "runs" / "somebody"
    folder.mkdir(parents=True)
    (folder / "lock").touch()
    (folder / "plan").write_text("secret")
    assert abandoned.find_abandoned(str(tmp_path)) == ["somebody"]
    with abandoned.AbandonedRun(str(tmp_path), "somebody") as found:
        assert found == str(folder)
    assert not folder.exists()


KILLED = """
import os, signal, sys
from tfevents.journal import run_lock
step, count, made = int(sys.argv[2]), 0, []
def watch(frame, event, function):
    global count
    name = frame.f_code.co_name
    making = ("_create_locked_folder", "make_private", "create_private")
    if event.startswith("c_") and name in making:
        count += 1
        if count > step:
            os.kill(os.getpid(), signal.SIGKILL)
sys.setprofile(watch)
run_lock.acquire(sys.argv[1])
"""


@pytest.mark.exhaustive
def test_killed_while_its_folder_is_made(tmp_path: Path) -> None:
    """If a process is killed at any step of creating its run's folder, `find_abandoned` and
    `AbandonedRun` leave nothing of the folder."""
    step, done = 0, None
    while done is None or done.returncode:
        done = subprocess.run([sys.executable, "-c", KILLED, tmp_path, str(step)], check=False)
        assert done.returncode in (0, -signal.SIGKILL)
        for identity in abandoned.find_abandoned(str(tmp_path)):
            with abandoned.AbandonedRun(str(tmp_path), identity):
                pass
        assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())
        step += 1
    assert step > 10


def test_what_is_being_made_is_not_swept(tmp_path: Path) -> None:
    """An unfinished folder is not removed while another process has locked the runs folder to
    create one. If it is older than a day it is removed anyway, as some file systems have no such
    locks."""
    unfinished = tmp_path / "runs" / ".somebody"
    unfinished.mkdir(parents=True)
    maker = os.open(tmp_path / "runs", os.O_RDONLY)
    fcntl.flock(maker, fcntl.LOCK_SH)
    assert abandoned.find_abandoned(str(tmp_path)) == []
    assert unfinished.exists()
    day = time.time() - abandoned.STALE_SECONDS - 1
    os.utime(unfinished, (day, day))
    assert abandoned.find_abandoned(str(tmp_path)) == []
    assert not unfinished.exists()
    unfinished.mkdir()
    os.close(maker)
    assert abandoned.find_abandoned(str(tmp_path)) == []
    assert not unfinished.exists()


def test_a_sweeper_that_is_stopped_keeps_nobody_from_running(tmp_path: Path) -> None:
    """A run waits only a moment for a stopped process that has locked the runs folder to remove
    unfinished folders."""
    run_lock.acquire(str(tmp_path)).release()
    sweeper = os.open(tmp_path / "runs", os.O_RDONLY)
    fcntl.flock(sweeper, fcntl.LOCK_EX)
    lock = run_lock.acquire(str(tmp_path))
    assert run_lock.is_held(str(tmp_path), lock.identity)
    lock.release()
    os.close(sweeper)


def test_an_empty_folder_is_swept(tmp_path: Path) -> None:
    """A folder without a lock file, as left by a process that was killed between removing the two,
    is removed."""
    folder = tmp_path / "runs" / "somebody"
    folder.mkdir(parents=True)
    assert abandoned.find_abandoned(str(tmp_path)) == ["somebody"]
    with abandoned.AbandonedRun(str(tmp_path), "somebody") as found:
        assert found is None
    assert not folder.exists()


# Order and queues


def test_one_that_is_refused_does_not_hold_up_the_others(
    machine: Machine, endpoint: Endpoint
) -> None:
    """A refused event is kept with its reason, and sent again only by a flush with `refused`; the
    events after it are delivered."""
    journal = open_journal(str(machine.home))
    put(journal, "a", "b", "c")
    endpoint.script(NORMAL, answer(400, "missing_field"))
    done = flush(machine.home, journal, endpoint.url)
    assert names(endpoint) == ["a", "c"]
    assert len(done.refused) == 1  # type: ignore[attr-defined]
    (left,) = [e for e in journal.find_events() if e.status is Status.REFUSED]
    assert "400" in (left.reason or "")
    flush(machine.home, journal, endpoint.url)
    assert names(endpoint) == ["a", "c"]
    flush(machine.home, journal, endpoint.url, refused=True)
    assert names(endpoint) == ["a", "c", "b"]
    journal.close()


def test_a_locked_workspace_does_not_hold_up_the_others(
    machine: Machine, endpoint: Endpoint
) -> None:
    """While one workspace responds 423, the events of others are sent; its own events stay in
    order."""
    journal = open_journal(str(machine.home))
    other = Destination("acct", "default", "infra", "other")
    put(journal, "locked 1", "locked 2")
    put(journal, "other 1", "other 2", where=other)
    endpoint.script(answer(423))
    flush(machine.home, journal, endpoint.url)
    assert names(endpoint)[0] == "other 1"
    assert sorted(names(endpoint)) == ["locked 1", "locked 2", "other 1", "other 2"]
    assert names(endpoint).index("locked 1") < names(endpoint).index("locked 2")
    journal.close()


def test_what_was_put_without_an_account_goes_with_the_key_and_stays_in_order(
    machine: Machine, endpoint: Endpoint
) -> None:
    """Events put before there was a key, and so without an account, are sent in order with those
    put after it."""
    journal = open_journal(str(machine.home))
    put(journal, "1", where=replace(WHERE, account=None))
    put(journal, "2")
    put(journal, "3", where=replace(WHERE, account=None))
    known = settings(machine.home, endpoint.url, account="acct")
    flush(machine.home, journal, endpoint.url, settings=known)
    assert names(endpoint) == ["1", "2", "3"]
    journal.close()


def test_what_nobody_knows_is_left_and_never_filled_in_from_the_flusher(
    machine: Machine, endpoint: Endpoint
) -> None:
    """An event without org, project or workspace is kept: they are never taken from the settings of
    the process that flushes, since the event may be from another directory."""
    journal = open_journal(str(machine.home))
    put(journal, "a", where=Destination("acct", None, "infra", None))
    put(journal, "b", where=Destination())
    known = settings(
        machine.home, endpoint.url, account="acct", org="default", project="infra", workspace="prod"
    )
    done = flush(machine.home, journal, endpoint.url, settings=known)
    assert done.reasons == [  # type: ignore[attr-defined]
        "not known where to: set TFEVENTS_ORG and TFEVENTS_WORKSPACE",
        "not known where to: set TFEVENTS_ORG and TFEVENTS_PROJECT and TFEVENTS_WORKSPACE",
    ]
    assert endpoint.connections == 0
    assert machine.rows("select attempts from events") == [0, 0]
    journal.close()


def test_an_event_of_another_account_is_left_and_told(machine: Machine, endpoint: Endpoint) -> None:
    """An event for an account that is not the API key's stays pending, and the reason says so; the
    others are delivered."""
    journal = open_journal(str(machine.home))
    put(journal, "theirs", where=Destination("other", "default", "infra", "prod"))
    put(journal, "mine")
    done = flush(
        machine.home,
        journal,
        endpoint.url,
        settings=settings(machine.home, endpoint.url, account="acct"),
    )
    assert names(endpoint) == ["mine"]
    assert done.reason == (  # type: ignore[attr-defined]
        "this event is of account other, the key is of acct"
    )
    assert sorted(machine.statuses()) == ["delivered", "pending"]
    journal.close()


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_stops_the_flush_and_a_right_one_delivers(
    machine: Machine, endpoint: Endpoint, status: int
) -> None:
    """If the server rejects the API key, the flush ends after one request with that reason, and all
    events stay pending."""
    journal = open_journal(str(machine.home))
    put(journal, "a", "b")
    put(journal, "c", where=Destination("acct", "default", "infra", "other"))
    endpoint.always(answer(status))
    done = flush(machine.home, journal, endpoint.url)
    assert len(endpoint.requests) == 1
    assert str(status) in done.reason  # type: ignore[attr-defined]
    assert set(machine.statuses()) == {"pending"}
    endpoint.always(NORMAL)
    flush(machine.home, journal, endpoint.url)
    assert names(endpoint) == ["a", "b", "c"]
    journal.close()


def test_an_outage_costs_two_tries_however_much_waits(machine: Machine) -> None:
    """If the server can't be reached, a flush makes two attempts in all, and not two for each event
    or workspace."""
    journal = open_journal(str(machine.home))
    for workspace in "abcdef":
        put(journal, "1", "2", where=Destination("acct", "default", "infra", workspace))
    with closed_port() as url:
        done = flush(machine.home, journal, url, seconds=600)
    assert len(done.kept) == 12  # type: ignore[attr-defined]
    assert sum(machine.rows("select attempts from events")) == 2
    journal.close()


def test_a_server_that_asks_for_time_is_left_alone(machine: Machine, endpoint: Endpoint) -> None:
    """A Retry-After is valid for all queues, and a flush does not wait for one that exceeds its
    deadline."""
    journal = open_journal(str(machine.home))
    put(journal, "1")
    put(journal, "2", where=Destination("acct", "default", "infra", "other"))
    endpoint.always(answer(429, retry_after=3600))
    done = flush(machine.home, journal, endpoint.url, seconds=30)
    assert len(endpoint.requests) == 1
    assert len(done.kept) == 2  # type: ignore[attr-defined]
    journal.close()


def test_a_server_that_says_at_once_is_not_hammered(machine: Machine, endpoint: Endpoint) -> None:
    """After a response with Retry-After: 0 the sender still waits for its own pauses."""
    journal = open_journal(str(machine.home))
    put(journal, "1")
    endpoint.script(*[answer(503, retry_after=0)] * 3)
    flush(machine.home, journal, endpoint.url, seconds=60)
    times = [request.at for request in endpoint.requests]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    shortest = [FIRST_PAUSE / 2 * 2**tried for tried in range(3)]
    assert all(pause >= least for pause, least in zip(pauses, shortest, strict=True))
    journal.close()


def test_what_is_put_while_others_are_sent_follows_in_the_same_turn(
    machine: Machine, endpoint: Endpoint
) -> None:
    """An event that is put during a flush, as a run's end event may be, is sent by the same
    flush."""
    journal = open_journal(str(machine.home))
    put(journal, "start")
    later = iter(["end"])

    def more(_: object) -> None:
        for name in later:
            put(journal, name)

    flush(machine.home, journal, endpoint.url, progress=more)
    assert names(endpoint) == ["start", "end"]
    journal.close()


def backlog(home: Path, count: int) -> Journal:
    """A journal with `count` pending events of twenty workspaces; an event's name is its number."""
    journal = open_journal(str(home))
    for number in range(count):
        put(journal, str(number), where=replace(WHERE, workspace=f"w{number % 20}"))
    return journal


@contextmanager
def counted(journal: Journal) -> Iterator[list[None]]:
    """A list that gets one element for each ten instructions that SQLite's virtual machine executes
    in the block."""
    steps: list[None] = []
    journal._database._connection.set_progress_handler(lambda: steps.append(None), 10)
    yield steps
    journal._database._connection.set_progress_handler(None, 0)


@pytest.mark.exhaustive
def test_a_flush_of_much_is_in_order_and_linear(machine: Machine, endpoint: Endpoint) -> None:
    """A flush sends each workspace's events in order, and the work in the journal grows linearly
    with the number of events."""
    work = []
    for count in (50, 200):
        journal, told = backlog(machine.root / str(count), count), len(endpoint.events)
        with counted(journal) as steps:
            flush(machine.root / str(count), journal, endpoint.url, seconds=100)
        work.append(len(steps))
        heard = [int(name) for name in names(endpoint)[told:]]
        assert sorted(heard) == list(range(count))
        for workspace in range(20):
            mine = [number for number in heard if number % 20 == workspace]
            assert mine == sorted(mine)
        journal.close()
    assert work[1] < 6 * work[0]


def test_what_waits_for_others_costs_a_run_nothing(machine: Machine, endpoint: Endpoint) -> None:
    """The work of a run's sender in the journal does not grow with the pending events of other
    workspaces."""
    work, mine = [], replace(WHERE, workspace="mine")
    for count in (50, 200):
        home = machine.root / str(count)
        journal = backlog(home, count)
        put(journal, "mine", where=mine)
        with counted(journal) as steps, run_lock.hold_lock(str(home)) as lock:
            sender = Sender(journal, settings(home, endpoint.url), lock.identity)
            state = FlushState(Deadline(20), wait_for_claims=True)
            sender.flush(own_queues(mine, str(home), "default"), state)
            sender.close()
        work.append(len(steps))
        journal.close()
    assert names(endpoint) == ["mine", "mine"]
    assert work[1] < 2 * work[0]


def test_what_could_not_be_moved_in_time_goes_first_all_the_same(tmp_path: Path) -> None:
    """Events of the fallback journal are sent before younger ones of the home directory's journal,
    even if those were put before the move."""
    fallback, home = (open_journal(str(tmp_path / name)) for name in ("fallback", "home"))
    put(home, "delivered")
    home.settle(home.find_unsent_events(Queue(WHERE))[0].event_id, Status.DELIVERED)
    put(fallback, "a", "b")
    set_times(tmp_path / "fallback", "2026-01-01T00:00:00.000Z")
    put(home, "c", "d")
    fallback.move_to(home)
    assert [event.body["data"]["name"] for event in home.find_unsent_events(Queue(WHERE))] == [
        *"abcd"
    ]
    assert [event.body["data"]["name"] for event in home.find_events()][-1] == "delivered"


def test_the_end_of_a_run_that_was_closed_as_forgotten_is_moved(tmp_path: Path) -> None:
    """Moving the fallback journal sets the exit code of a run that was closed as forgotten; a
    second move does not remove the exit code."""
    home, fallback = (open_journal(str(tmp_path / name)) for name in ("home", "fallback"))
    for journal, code in ((home, None), (fallback, 3)):
        journal.open_run(Run("run", "apply", "normal", ".", now(), key="hook"))
        journal.end_run("run", code)
    fallback.move_to(home)
    fallback.open_run(Run("run", "apply", "normal", ".", now(), key="hook"))
    fallback.move_to(home)
    run = home.find_run("run")
    assert run is not None
    assert (run.exit_code, run.ended_at is None) == (3, False)


FULL = "create trigger full before insert on events begin select raise(fail, 'full'); end"


def test_a_flush_sends_nothing_before_what_could_not_be_moved(
    machine: Machine, endpoint: Endpoint
) -> None:
    """If the home directory's journal has no room for the fallback journal's events, a flush keeps
    the younger events of the same workspace, and says why."""
    (home, spare), env = (machine.home, machine.spare), machine.reporting_to(endpoint.url)
    os.mkdir(spare, 0o700)
    put(open_journal(str(spare)), "old")
    first = now()
    until(lambda: now() != first)  # events of one millisecond have no order
    put(open_journal(str(home)), "young", where=replace(WHERE, account=None))
    put(open_journal(str(home)), "other", where=replace(WHERE, workspace="other"))
    with closing(sqlite3.connect(home / "journal.db")) as db, db:
        db.execute(FULL)
    said = machine.flush({**env, "TFEVENTS_API_KEY": "pat.acct.t.s"}).stdout
    assert said == f"1 delivered, 1 kept\nkept: older events in {spare} are sent first\n"
    with closing(sqlite3.connect(home / "journal.db")) as db, db:
        db.execute("drop trigger full")
    assert machine.flush({**env, "TFEVENTS_API_KEY": "pat.acct.t.s"}).returncode == 0
    assert names(endpoint) == ["other", "old", "young"]


# Retention, and journals and rows that are damaged or of another version


def set_times(home: Path, put_at: str) -> None:
    """Sets the time of all events, and the start of all runs, to `put_at`."""
    with closing(sqlite3.connect(home / "journal.db")) as db, db:
        db.execute("update events set put_at = ?", (put_at,))
        db.execute("update runs set opened_at = ?", (put_at,))


@pytest.mark.parametrize("status", [Status.PENDING, Status.REFUSED])
@pytest.mark.parametrize("put_at", ["1970-01-01T00:00:01.000Z", "2026-01-01T00:00:00.000Z"])
def test_what_is_not_delivered_outlives_any_clock(
    machine: Machine, put_at: str, status: Status
) -> None:
    """Pending and refused events, and their runs, are kept whatever their age, since a clock may
    begin at 1970 or jump by a year; delivered events are dropped by age."""
    journal = open_journal(str(machine.home))
    journal.open_run(Run("run", "plan", "normal", "work", now()))
    put(journal, "waits", "sent")
    waits, sent = journal.find_unsent_events(Queue(WHERE))
    journal.settle(waits.event_id, status)
    journal.settle(sent.event_id, Status.DELIVERED)
    set_times(machine.home, put_at)
    assert journal.prune() == 0
    assert [event.body["data"]["name"] for event in journal.find_events()] == ["waits"]
    assert journal.find_run("run") is not None
    journal.close()


def test_an_old_run_is_dropped_with_its_last_event(machine: Machine) -> None:
    """An old run is dropped with its last event, unless the run is open, as its end is still to
    come."""
    journal = open_journal(str(machine.home))
    for name in ("run", "open"):
        journal.open_run(Run(name, "plan", "normal", "work", now()))
    put(journal, "sent")
    journal.settle(journal.find_events()[0].event_id, Status.DELIVERED)
    journal.end_run("run", 0)
    set_times(machine.home, "1970-01-01T00:00:01.000Z")
    assert journal.prune() == 0
    assert [run.run_id for run in journal.find_runs()] == ["open"]
    journal.close()


def test_the_latest_run_of_a_hook_is_the_one_that_was_opened_last(machine: Machine) -> None:
    """The latest run of a hook is the one that was opened last, even if the clock was put back in
    between."""
    journal = open_journal(str(machine.home))
    for name, began in (("first", "2026-11-29T10:00:00Z"), ("second", "1970-01-01T00:00:01Z")):
        journal.open_run(Run(name, "plan", "normal", "work", began, key="k"))
    assert [run.run_id for run in journal.find_open_runs("k")] == ["first", "second"]
    last = journal.find_last_run("k")
    assert last is not None
    assert last.run_id == "second"
    journal.close()


def test_what_is_too_much_is_dropped_and_counted(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If there are too many events, the oldest are dropped; `prune` returns how many of them were
    not delivered."""
    monkeypatch.setattr(retention, "KEPT_EVENTS", 1)
    journal = open_journal(str(machine.home))
    put(journal, "sent", "old", "young")
    journal.settle(journal.find_unsent_events(Queue(WHERE))[0].event_id, Status.DELIVERED)
    assert journal.prune() == 1
    assert journal.prune() == 0
    assert [event.body["data"]["name"] for event in journal.find_events()] == ["young"]
    journal.close()


@pytest.mark.parametrize(("kept", "dropped"), [(3, 0), (2, 1)])
def test_events_are_counted_not_numbers(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, kept: int, dropped: int
) -> None:
    """Numbers of deleted events do not count: an event is dropped only if there are as many newer
    events as are kept."""
    monkeypatch.setattr(retention, "KEPT_EVENTS", kept)
    journal = open_journal(str(machine.home))
    put(journal, "old", "young", "youngest")
    with closing(sqlite3.connect(machine.home / "journal.db")) as db, db:
        db.execute("update events set seq = seq + 100 where seq > 1")
    assert journal.prune() == dropped
    assert len(journal.find_events()) == 3 - dropped
    journal.close()


@pytest.mark.parametrize("garbage", [b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_journal_that_is_garbage_is_one_line_and_stays_as_it_is(
    machine: Machine, garbage: bytes
) -> None:
    """A journal file that is no database raises JournalUnavailable with one line, and is left as it
    is, so that it can be repaired."""
    machine.home.mkdir()
    path = machine.home / "journal.db"
    path.write_bytes(garbage)
    with pytest.raises(JournalUnavailable, match=rf"^the journal {path} can't be used: [^\n]+$"):
        open_journal(str(machine.home))
    assert path.read_bytes() == garbage


DAMAGE = {
    "torn": "body = '{\"torn'",
    "no event": "body = '[]'",
    "no event type": "body = '{}'",
    "other metadata": 'body = \'{"event_type": "plan", "metadata": 7}\'',
    "other counts": (
        'body = \'{"event_type": "plan", "metadata": {"resource_counts": {"added": []}}}\''
    ),
    "bytes": "body = x'ff00'",
    "no body": "body = null",
    "no time": "put_at = 'yesterday'",
    "no run": "run_id = null",
    "no number": "attempts = 'many'",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_row_costs_itself_and_one_line(
    machine: Machine, endpoint: Endpoint, damage: str
) -> None:
    """A damaged event is refused and reported once, in one line; the others of its queue are
    delivered."""
    journal = open_journal(str(machine.home))
    put(journal, "a", "b", "c")
    with sqlite3.connect(machine.home / "journal.db") as db:
        db.execute(f"update events set {damage} where seq = 2")
    db.close()
    flush(machine.home, journal, endpoint.url)
    assert names(endpoint) == ["a", "c"]
    assert journal.unreadable == ["event 2 of the journal can't be read"]
    assert machine.statuses() == ["delivered", "refused", "delivered"]
    assert [entry.seq for entry in journal.find_events()] == [3, 1]
    journal.close()
    again = open_journal(str(machine.home))
    flush(machine.home, again, endpoint.url)
    assert again.unreadable == []
    again.close()


@pytest.mark.parametrize(
    "damage", ["base = '{\"torn'", "base = '{\"data\": 1}'", "opened_at = null", "directory = null"]
)
def test_a_damaged_run_costs_itself_and_one_line(machine: Machine, damage: str) -> None:
    """A damaged run is left out and reported in one line; the other runs are read."""
    journal = open_journal(str(machine.home))
    for name in ("a", "b"):
        journal.open_run(Run(name, "plan", "normal", "work", now(), key="k"))
    with sqlite3.connect(machine.home / "journal.db") as db:
        db.execute(f"update runs set {damage} where run_id = 'a'")
    db.close()
    assert [run.run_id for run in journal.find_runs()] == ["b"]
    assert [run.run_id for run in journal.find_open_hook_runs()] == ["b"]
    assert journal.unreadable == ["run a of the journal can't be read"]
    journal.close()


OF_BEFORE = """
create table runs (
    run_id text primary key, key text, command text, operation text, mode text,
    directory text, opened_at text, ended_at text, exit_code integer, base text
);
create table events (
    seq integer primary key autoincrement, event_id text unique, run_id text,
    account text, org text, project text, workspace text, body text,
    status text, reason text, attempts integer default 0, put_at text, settled_at text
);
create table claims (lane text primary key, owner text);
create index events_pending on events (status, seq);
create index runs_key on runs (key, ended_at);
insert into events (event_id, run_id, account, org, project, workspace, body, status, put_at)
    values ('1', 'r', null, null, null, null,
        '{"event_type": "plan", "data": {"name": "lost", "directory": "live/a"}}', 'pending',
        '2026-01-01T00:00:00.000Z');
insert into events (event_id, run_id, account, org, project, workspace, body, status, put_at)
    values ('2', 'r', 'acct', 'default', 'infra', 'prod',
        '{"event_type": "plan", "data": {"name": "known"}}', 'pending',
        '2026-01-01T00:00:00.000Z');
"""


def test_a_journal_of_before(machine: Machine, endpoint: Endpoint) -> None:
    """A journal with an earlier schema is migrated: an event without a workspace stays without one,
    and gets no directory by which one could be found."""
    machine.home.mkdir(mode=0o700)
    with sqlite3.connect(machine.home / "journal.db") as db:
        db.executescript(OF_BEFORE)
    db.close()
    journal = open_journal(str(machine.home))
    put(journal, "new")
    known = settings(
        machine.home, endpoint.url, account="acct", org="default", project="infra", workspace="prod"
    )
    flush(machine.home, journal, endpoint.url, settings=known)
    assert names(endpoint) == ["known", "new"]
    (lost,) = journal.find_unowned()
    assert (lost.event_id, lost.directory, lost.destination) == ("1", None, Destination())
    journal.close()
    open_journal(str(machine.home)).close()
    assert machine.rows("pragma user_version") == [1]


def test_what_was_delivered_meanwhile_is_not_given_to_anybody(machine: Machine) -> None:
    """Assigning a destination to an event that another flush has delivered meanwhile does not
    change its status."""
    journal = open_journal(str(machine.home))
    put(journal, "a", where=Destination("acct", "o", "p", None))
    (event,) = journal.find_unowned()
    journal.settle(event.event_id, Status.DELIVERED)
    journal.assign({event.event_id: (WHERE, ["workspace"])})
    assert machine.statuses() == ["delivered"]
    journal.close()


@pytest.mark.exhaustive
def test_many_that_open_a_journal_of_before_at_once(machine: Machine) -> None:
    """Six processes can open a journal with an earlier schema at the same time, and it is migrated
    once."""
    machine.home.mkdir(mode=0o700)
    with sqlite3.connect(machine.home / "journal.db") as db:
        db.executescript(OF_BEFORE)
    db.close()
    source = (
        "import sys; from tfevents.journal.journal import open_journal; open_journal(sys.argv[1])"
    )
    running = [machine.python(source, str(machine.home)) for _ in range(6)]
    assert [process.communicate()[1] for process in running] == [""] * 6
    assert [process.returncode for process in running] == [0] * 6


def test_a_queue_is_found_by_the_index(machine: Machine) -> None:
    """No query of a run scans all events or all pending events; its queues are found by an
    index."""
    journal = open_journal(str(machine.home))
    asked: list[str] = []
    journal._database._connection.set_trace_callback(asked.append)
    journal.find_unsent_events(Queue(WHERE))
    journal.find_unsent_events(Queue(replace(WHERE, account=None), "/work", "default"))
    journal.find_events(run_id="run")
    journal.find_open_runs("key")
    journal.find_open_hook_runs()
    journal.find_last_run("key")
    journal.find_run("run")
    journal.prune()
    put(journal, "a")
    journal.settle("a", Status.DELIVERED)
    journal._database._connection.set_trace_callback(None)
    plans = [
        (query, row["detail"])
        for query in asked
        if not query.startswith(("begin", "commit"))
        for row in journal._database._connection.execute(f"explain query plan {query}").fetchall()
    ]
    assert sum("INDEX events_queue (workspace=? AND" in detail for _, detail in plans) == 2
    # no query scans all events or all pending ones
    assert [p for p in plans if p[1].startswith("SCAN") or "events_pending" in p[1]] == []
    journal.close()


def test_a_later_version_may_share_the_journal(machine: Machine) -> None:
    """Columns and statuses that a later version has added do not prevent reading; an unknown status
    counts as refused."""
    journal = open_journal(str(machine.home))
    put(journal, "a", "b")
    with sqlite3.connect(machine.home / "journal.db") as db:
        db.execute("alter table events add column lease text")
        db.execute("alter table runs add column host text")
        db.execute("update events set status = 'expired' where seq = 1")
    db.close()
    assert [entry.status for entry in journal.find_events()] == [Status.PENDING, Status.REFUSED]
    assert journal.find_runs() == []
    journal.close()


def test_names_that_are_no_text_are_kept_and_sent(machine: Machine, endpoint: Endpoint) -> None:
    """An event with an undecodable byte, as in a directory named in Latin-1, is kept and sent with
    `?` in its place."""
    journal = open_journal(str(machine.home))
    put(journal, "caf\udce9")
    flush(machine.home, journal, endpoint.url)
    assert names(endpoint) == ["caf?"]
    journal.close()


def test_a_journal_is_for_its_owner_alone(machine: Machine) -> None:
    """The journal has mode 0600 in a home directory with mode 0700."""
    journal = open_journal(str(machine.home))
    put(journal, "a")
    modes = [path.stat().st_mode & 0o777 for path in (machine.home, machine.home / "journal.db")]
    assert modes == [0o700, 0o600]
    journal.close()


def test_a_rollback_that_fails_hides_nothing(tmp_path: Path) -> None:
    """If a rollback fails too, the error that was raised first is reported."""
    journal = open_journal(str(tmp_path))
    journal.close()
    with pytest.raises(JournalUnavailable, match="closed database"):
        journal.release("nobody")
    database = Database(sqlite3.connect(":memory:", isolation_level=None))
    with pytest.raises(LookupError), database.transaction() as db:
        db.close()  # so that the rollback fails
        raise LookupError
