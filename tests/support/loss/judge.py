"""Compares the journal with what arrived: each run has one end, each event arrives once and in
order."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from support.endpoint import Request
from support.loss.engine import ENDED, STARTED
from support.loss.plan import Kind, Trouble
from support.loss.scene import Ended, Scene
from support.step import Ending, Step

STARTS = ("provisioning", "destroying")
BUGS = ("Traceback", "(a bug)")
FRAME = re.compile(r'File "(.+?)", line (\d+)')
SURE = 0.1
"""Seconds; when an answer takes longer, its client may not be waiting for it any more."""
LATE_WORDS = ("sender was ended", "no answer from")
"""Messages of a wrapper whose deadline passed while its sender process still waited for an
answer."""


class Window(NamedTuple):
    """A period in which the disk was full, in time.monotonic()."""

    begin: float
    end: float


def judge(scene: Scene, full: list[Window], trouble: Trouble) -> Iterator[str]:
    """Yields what is wrong once everything was sent to a healthy endpoint."""
    yield from _judge_exits(scene)
    with closing(sqlite3.connect(scene.home / "journal.db")) as db:
        yield from _judge_file(db)
        yield from _judge_runs(scene, db, jumped=trouble is Trouble.CLOCK)
        yield from _judge_delivery(scene, db, dropped=trouble is Trouble.CLOCK)
        yield from _judge_order(scene, db, "put_at, seq" if full else "seq")
    for home in (scene.home, scene.spare):
        yield from _judge_left(home)
    yield from _judge_twins(scene, full)


def _judge_exits(scene: Scene) -> Iterator[str]:
    """Yields wrappers that did not end as terraform did, and processes that hung or printed a
    traceback."""
    for one in scene.ended:
        bug = any(bug in one.said for bug in BUGS) and not _is_pythons(one)
        if bug or "did not end" in one.said:
            yield f"{one.victim.directory} said {one.said!r}"
        if one.victim.kind in (Kind.WRAPPER, Kind.SENDER):
            wanted = _find_wanted_codes(one, scene.place / one.victim.directory)
            if one.code not in wanted:
                yield f"{one.victim.directory} ended with {one.code}, not {wanted}"


def _is_pythons(one: Ended) -> bool:
    """Whether the traceback is Python's own: of a Ctrl-C before our first line, or between two
    modules."""
    frames = FRAME.findall(one.said)
    ours = [f for f in frames if not f[0].startswith("<frozen") and f != ("<string>", "0")]
    interrupted = one.victim.signal == signal.SIGINT and "KeyboardInterrupt" in one.said
    return interrupted and "(a bug)" not in one.said and frames != [] and not ours


def _find_wanted_codes(one: Ended, directory: Path) -> set[int]:
    """The exit codes that a wrapper may have: terraform's or, if terraform died or never ran, the
    signal's."""
    killed = {-one.victim.signal} if one.victim.kind is Kind.WRAPPER else set()
    if one.victim.signal is signal.SIGKILL and killed and one.code == -signal.SIGKILL:
        return killed
    ended = directory / ENDED
    said = ended.read_text() if ended.exists() else ""  # empty: killed while it wrote the exit code
    return {int(said)} if said else killed


def _judge_file(db: sqlite3.Connection) -> Iterator[str]:
    found = db.execute("pragma integrity_check").fetchall()
    if found != [("ok",)]:
        yield f"the journal is damaged: {found[:3]}"


def _judge_left(home: Path) -> Iterator[str]:
    """Yields what must not stay behind: private run folders, and events in the fallback journal."""
    runs = home / "runs"
    if runs.exists() and (left := [path.name for path in runs.iterdir()]):
        yield f"{runs} still holds {left}"
    if home.name != "home" and (home / "journal.db").exists():
        with closing(sqlite3.connect(home / "journal.db")) as db:
            if left := db.execute("select event_id, status from events").fetchall():
                yield f"the fallback still has {left}"


def _judge_runs(scene: Scene, db: sqlite3.Connection, *, jumped: bool) -> Iterator[str]:
    """Yields runs that have not exactly one end, and terraform runs that are not exactly one run.
    `jumped`: the clock has jumped, so that a hook's run may have been closed as abandoned before
    its end."""
    kept = [json.loads(body) for (body,) in db.execute("select body from events order by seq")]
    told = {event["data"]["event_id"]: event for event in [*kept, *scene.endpoint.events]}
    kinds: dict[str, list[str]] = {}
    killed: Counter[str] = Counter()
    runs: dict[str, set[str]] = {}
    for event in told.values():
        data = event["data"]
        kinds.setdefault(data["run_id"], []).append(event["event_type"])
        killed[data["run_id"]] += data.get("interrupted") == "killed"
        runs.setdefault(Path(data["directory"]).name, set()).add(data["run_id"])
    for run_id, directory in db.execute("select run_id, directory from runs"):
        kinds.setdefault(run_id, [])
        runs.setdefault(Path(directory).name, set()).add(run_id)
    for name, run_ids in runs.items():
        for run_id in run_ids:
            found = kinds[run_id]
            ends = len([kind for kind in found if kind not in STARTS])
            most = 2 if jumped and killed[run_id] == 1 else 1
            if not 1 <= ends <= most or len(found) - ends > 1:
                yield f"run {run_id} in {name} has {found}"
    for one in scene.ended:
        name = one.victim.directory
        if (scene.place / name / STARTED).exists() and len(runs.get(name, ())) != 1:
            yield f"terraform ran once in {name}, and there are runs {runs.get(name)}"


def _judge_delivery(scene: Scene, db: sqlite3.Connection, *, dropped: bool) -> Iterator[str]:
    """Yields events that did not arrive as they are in the journal, and arrived ones that it does
    not have. `dropped`: history may be too old to be kept."""
    arrived = {_id(request): request for request in reversed(_find_recorded(scene))}
    kept: set[str] = set()
    for event_id, status, body in db.execute("select event_id, status, body from events"):
        kept.add(event_id)
        found = arrived.get(event_id)
        if status != "delivered" or found is None:
            yield f"event {event_id} is {status}, arrived: {found is not None}"
        elif found.event != json.loads(body):
            yield f"event {event_id} arrived as another"
    if not dropped and (unknown := arrived.keys() - kept):
        yield f"arrived, and not in the journal: {unknown}"


def _judge_order(scene: Scene, db: sqlite3.Connection, order: str) -> Iterator[str]:
    """Yields queues whose events arrived in another order than they were put. Events that were put
    without an API key wait in a queue of their directory."""
    arrived = list(dict.fromkeys(map(_id, _find_recorded(scene))))
    queue = "account, org, project, workspace, case when account is null then directory end"
    query = f"select {queue}, group_concat(event_id) from (select * from events order by {order})"
    for *whose, ids in db.execute(f"{query} group by 1, 2, 3, 4, 5"):
        wanted = [event_id for event_id in ids.split(",") if event_id in arrived]
        if sorted(wanted, key=arrived.index) != wanted:
            yield f"the events of {whose} arrived in another order"


def find_twins(scene: Scene) -> list[tuple[Request, Request]]:
    """Twins, that is, each event that arrived again: the request before and the later one."""
    last: dict[str, Request] = {}
    twins: list[tuple[Request, Request]] = []
    for request in _find_recorded(scene):
        if before := last.get(_id(request)):
            twins.append((before, request))
        last[_id(request)] = request
    return twins


def _judge_twins(scene: Scene, full: list[Window]) -> Iterator[str]:
    """Yields twins without a reason. An event may arrive again only if its sender can't know that
    it arrived: its answer was cut off or late, the sender was killed or out of time, or the disk
    was full."""
    stopped = {one.victim.api_key for one in scene.ended if one.killed or _is_late(one)}
    for first, again in find_twins(scene):
        killed = first.headers["x-api-key"] in stopped
        unnoted = any(begin <= first.at <= end for begin, end in full)
        if not (killed or unnoted or _is_uncertain(first.step)):
            assert first.event
            name = Path(first.event["data"]["directory"]).name
            said = [one.said for one in scene.ended if one.victim.directory == name]
            yield f"{_id(first)} arrived twice, {again.at - first.at:.3f} s apart; {name}: {said}"
        if first.body != again.body:
            yield f"event {_id(first)} came again as another"


def _is_late(one: Ended) -> bool:
    return any(word in one.said for word in LATE_WORDS)


def _is_uncertain(step: Step) -> bool:
    return step.ending is not Ending.ANSWER or step.delay > SURE


def _find_recorded(scene: Scene) -> list[Request]:
    """The requests whose events were recorded, in the order of their arrival."""
    return [r for r in scene.endpoint.requests if r.recorded and r.event is not None]


def _id(request: Request) -> str:
    assert request.event
    return str(request.event["data"]["event_id"])
