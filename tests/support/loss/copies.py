"""Checks copies of a journal that is being written: whole ones lose nothing, torn ones break
nothing.

A whole copy is what is on the disk at one instant, as after a crash: all processes are stopped
while it is taken. A torn copy is damaged afterwards.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.endpoint import Endpoint
from support.loss.processes import find_processes
from support.loss.scene import SCRIPTS, Scene, run
from support.machine import KEY

FILES = ("journal.db", "journal.db-journal")
BUGS = ("Traceback", "(a bug)")
CODE = 3
"""The exit code of the stand-in engine."""


def take_copy(home: Path, copy: Path) -> None:
    """Copies the journal's files as they are at one instant; an empty directory if there are none
    yet."""
    stopped = _stop(home)
    try:
        copy.mkdir(mode=0o700, parents=True)
        found = [home / name for name in FILES if (home / name).exists()]
        # by another process: closing a file here would release all locks of this process on it
        subprocess.run(["cp", *found, copy], check=bool(found), capture_output=True)
    finally:
        _send(stopped, signal.SIGCONT)


def _stop(home: Path) -> set[int]:
    """Stops all processes of `home`, those started meanwhile too; returns their process IDs."""
    stopped: set[int] = set()
    while new := set(find_processes(home)) - stopped:
        _send(new, signal.SIGSTOP)
        stopped |= new
    return stopped


def _send(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def judge_copies(scene: Scene, copies: list[Path], draw: random.Random) -> Iterator[str]:
    """Yields what is wrong with the copies, which are changed by this."""
    known = {**_parse(scene.endpoint.events), **_read_events(scene.home)}
    for copy in copies:
        torn = copy.with_name(f"{copy.name}-torn")
        shutil.copytree(copy, torn)
        yield from _judge_whole(scene, copy, known)
        if (torn / FILES[0]).exists():
            yield from _judge_torn(scene, torn, draw)


def _judge_whole(scene: Scene, copy: Path, known: dict[str, Any]) -> Iterator[str]:
    """Yields what is wrong: a copy must be sound, have no event that the journal has not, and
    deliver all that waits in it."""
    events = _read_events(copy)
    if other := [event_id for event_id in events if events[event_id] != known.get(event_id)]:
        yield f"{copy} has other events than the journal: {other}"
    with Endpoint() as endpoint:
        done = _flush(scene, copy, endpoint)
        if done.code or done.said:
            yield f"{copy}: flush: {done.code} {done.said!r}"
        if found := _check(copy):
            yield f"{copy} is damaged: {found}"
        after = events.keys() | _read_events(copy).keys()
        arrived = [event["data"]["event_id"] for event in endpoint.events]
        if len(arrived) != len(set(arrived)) or not set(arrived) <= after:
            yield f"{copy}: not what waited arrived: {arrived}"


def _judge_torn(scene: Scene, torn: Path, draw: random.Random) -> Iterator[str]:
    """Yields what is wrong: terraform must run as ever, and no traceback may be printed."""
    before = damage(torn / FILES[0], draw)
    with Endpoint() as endpoint:
        said = [_apply(scene, torn), _flush(scene, torn, endpoint)]
    if said[0].code != CODE:
        yield f"{torn.name} ({before}): tf ended with {said[0].code}"
    if any(bug in one.said for one in said for bug in BUGS):
        yield f"{torn.name} ({before}): {said}"


def damage(path: Path, draw: random.Random) -> str:
    """Truncates a file, or overwrites a part of it; returns which."""
    size = path.stat().st_size
    at = draw.randrange(max(1, size))
    if draw.random() < 0.5:
        os.truncate(path, at)
        return f"cut at {at} of {size}"
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(draw.randbytes(draw.choice((1, 16, 4096))))
    return f"overwritten at {at} of {size}"


@dataclass(frozen=True)
class Said:
    """Exit code and stderr of a command."""

    code: int
    said: str


def _flush(scene: Scene, home: Path, endpoint: Endpoint) -> Said:
    env = {"TFEVENTS_HOME": str(home), "TFEVENTS_URL": endpoint.url, "TFEVENTS_API_KEY": KEY}
    done = run([SCRIPTS / "tfevents", "flush"], scene.place, {**_env(scene, home), **env})
    return Said(done.returncode, done.stderr)


def _apply(scene: Scene, home: Path) -> Said:
    done = run([SCRIPTS / "tf", "apply", "-auto-approve"], home, _env(scene, home))
    return Said(done.returncode, done.stderr)


def _env(scene: Scene, home: Path) -> dict[str, str]:
    """The environment with this home directory and a fallback home directory of its own."""
    temporary = home / "tmp"
    temporary.mkdir(exist_ok=True)
    return {
        **scene.env,
        "TFEVENTS_HOME": str(home),
        "TMPDIR": str(temporary),
        "STANDIN_CODE": str(CODE),
        "STANDIN_LINE": "",
        "STANDIN_GRACEFUL": "",
    }


def _check(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / FILES[0])) as db:
        found = [text for (text,) in db.execute("pragma integrity_check")]
    return [] if found == ["ok"] else found


def _read_events(home: Path) -> dict[str, Any]:
    """The events of a journal by their IDs; empty if there is no journal yet."""
    with closing(sqlite3.connect(home / FILES[0])) as db, suppress(sqlite3.OperationalError):
        return _parse([json.loads(body) for (body,) in db.execute("select body from events")])
    return {}


def _parse(events: list[dict[str, Any]]) -> dict[str, Any]:
    return {str(event["data"]["event_id"]): event for event in events}
