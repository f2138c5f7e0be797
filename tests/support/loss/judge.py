"""The journal, held against what arrived: each run with one end, each event once and in order."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from support.endpoint import Request
from support.loss.engine import ENDED, STARTED
from support.loss.plan import Kind
from support.loss.scene import Ended, Scene
from support.step import Ending, Step

STARTS = ("provisioning", "destroying")
BUGS = ("Traceback", "(a bug)")
SURE = 0.1
"""Seconds: an answer that takes longer may come when nobody waits for it any more."""
LATE = 0.2
"""Seconds that a kill may be noted after it was felt, or before."""


def judge(scene: Scene) -> Iterator[str]:
    """What is wrong once everything was sent to a healthy endpoint."""
    yield from _judge_exits(scene)
    with closing(sqlite3.connect(scene.home / "journal.db")) as db:
        yield from _judge_file(scene.home, db)
        yield from _judge_runs(scene, db)
        yield from _judge_delivery(scene, db)
    yield from _judge_twins(scene)


def _judge_exits(scene: Scene) -> Iterator[str]:
    """A wrapper ends as terraform did; nobody says that we have a bug."""
    for one in scene.ended:
        if any(bug in one.said for bug in BUGS) or "did not end" in one.said:
            yield f"{one.victim.directory} said {one.said[-300:]!r}"
        if one.victim.kind in (Kind.WRAPPER, Kind.SENDER):
            wanted = _find_wanted_codes(one, scene.place / one.victim.directory)
            if one.code not in wanted:
                yield f"{one.victim.directory} ended with {one.code}, not {wanted}"


def _find_wanted_codes(one: Ended, directory: Path) -> set[int]:
    """Terraform's, or the signal: its own where terraform died of it, or never ran."""
    killed = {-one.victim.signal} if one.victim.kind is Kind.WRAPPER else set()
    if one.victim.signal is signal.SIGKILL and killed and one.code == -signal.SIGKILL:
        return killed
    ended = directory / ENDED
    said = ended.read_text() if ended.exists() else ""  # empty: killed while it wrote that
    return {int(said)} if said else killed


def _judge_file(home: Path, db: sqlite3.Connection) -> Iterator[str]:
    found = db.execute("pragma integrity_check").fetchall()
    if found != [("ok",)]:
        yield f"the journal is damaged: {found[:3]}"
    left = [path.name for path in (home / "runs").iterdir()]
    if left:
        yield f"runs/ still holds {left}"


def _judge_runs(scene: Scene, db: sqlite3.Connection) -> Iterator[str]:
    """Each has one end; what terraform was started for is one run."""
    ends: Counter[str] = Counter()
    starts: Counter[str] = Counter()
    for run_id, body in db.execute("select run_id, body from events"):
        kind = json.loads(body)["event_type"]
        (starts if kind in STARTS else ends)[run_id] += 1
    runs = db.execute("select run_id, directory, ended_at, command from runs").fetchall()
    for run_id, directory, ended_at, command in runs:
        if ends[run_id] != 1 or starts[run_id] > 1 or not ended_at:
            found = f"{starts[run_id]} starts and {ends[run_id]} ends, ended_at {ended_at}"
            yield f"{command} in {directory} has {found}"
    told = Counter(Path(directory).name for _, directory, _, _ in runs)
    for one in scene.ended:
        name = one.victim.directory
        if (scene.place / name / STARTED).exists() and told[name] != 1:
            yield f"terraform ran once in {name}, and there are {told[name]} runs"


def _judge_delivery(scene: Scene, db: sqlite3.Connection) -> Iterator[str]:
    """All of the journal arrived as it is there."""
    arrived = {_id(request): request for request in reversed(_find_recorded(scene))}
    kept: set[str] = set()
    for event_id, status, body in db.execute("select event_id, status, body from events"):
        kept.add(event_id)
        found = arrived.get(event_id)
        if status != "delivered" or found is None:
            yield f"event {event_id} is {status}, arrived: {found is not None}"
        elif found.event != json.loads(body):
            yield f"event {event_id} arrived as another"
    if unknown := arrived.keys() - kept:
        yield f"arrived, and not in the journal: {unknown}"
    yield from _judge_order(list(dict.fromkeys(map(_id, _find_recorded(scene)))), db)


def _judge_order(arrived: list[str], db: sqlite3.Connection) -> Iterator[str]:
    """Each queue's events as they were put: what was put without a key waits by itself."""
    queue = "account, org, project, workspace, case when account is null then directory end"
    query = f"select {queue}, group_concat(event_id) from (select * from events order by seq)"
    for *whose, ids in db.execute(f"{query} group by 1, 2, 3, 4, 5"):
        wanted = [event_id for event_id in ids.split(",") if event_id in arrived]
        if sorted(wanted, key=arrived.index) != wanted:
            yield f"the events of {whose} arrived in another order"


def find_twins(scene: Scene) -> list[tuple[Request, Request]]:
    """Each event that arrived again, and the time before."""
    last: dict[str, Request] = {}
    twins: list[tuple[Request, Request]] = []
    for request in _find_recorded(scene):
        if before := last.get(_id(request)):
            twins.append((before, request))
        last[_id(request)] = request
    return twins


def _judge_twins(scene: Scene) -> Iterator[str]:
    """Only what nobody could know comes again: its answer was cut off, or who waited for it was."""
    kills = [one.killed_at for one in scene.ended if one.killed_at is not None]
    for first, again in find_twins(scene):
        killed = any(first.at - LATE <= at <= again.at + LATE for at in kills)
        if not killed and not _is_uncertain(first.step):
            yield f"event {_id(first)} arrived twice, {again.at - first.at:.3f} s apart"
        if first.body != again.body:
            yield f"event {_id(first)} came again as another"


def _is_uncertain(step: Step) -> bool:
    return step.ending is not Ending.ANSWER or step.delay > SURE


def _find_recorded(scene: Scene) -> list[Request]:
    """Events, in the order of their arrival."""
    return [r for r in scene.endpoint.requests if r.recorded and r.event is not None]


def _id(request: Request) -> str:
    assert request.event
    return str(request.event["data"]["event_id"])
