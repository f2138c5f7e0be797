"""Checks a case: the promises against what was printed, what the journal holds and what servers
received."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from support.endpoint import Endpoint, Request
from support.faults.scene import BUDGET, Said, Scene
from support.twins import FOOTER, OURS, mask_output

CANARY = b"canary"
SHELL = re.compile(rb"(?m)^sh: 0: getcwd\(\) failed[^\n]*\n")
"""Debian's shell prints this before the first line of any script, so of `tf` too."""
SLACK = 25
"""Seconds beyond the timeout that a run may take on a machine that is busy otherwise."""


@dataclass(frozen=True)
class Kept:
    """An event in the journal."""

    put_at: str
    event_id: str
    status: str
    body: str

    @property
    def kind(self) -> str:
        return str(json.loads(self.body)["event_type"])


def judge(scene: Scene, events: Sequence[str]) -> Iterator[str]:
    """A line for each promise that does not hold, once all was delivered."""
    for alone, ours in scene.said:
        yield from _judge_output(scene, alone, ours)
    yield from _judge_events(scene, events)
    yield from _judge_secrets(scene)


def _judge_events(scene: Scene, events: Sequence[str]) -> Iterator[str]:
    """Yields what is wrong with the events: all must exist, in order, and a server must have
    received each."""
    kept = read_events(scene)
    kinds = [event.kind for event in kept]
    if kinds != list(events):
        yield f"the events are {kinds}, not {list(events)}"
    servers = (*scene.servers, scene.healthy)
    heard = {event_id for server in servers for event_id in find_ids(server)}
    for event in kept:
        if event.status != "delivered" or event.event_id not in heard:
            yield f"{event.kind} is {event.status}, heard: {event.event_id in heard}"


def _judge_output(scene: Scene, alone: Said, ours: Said) -> Iterator[str]:
    if ours.code is None:
        yield f"`tf` did not end in {ours.seconds:.0f} s"
    elif ours.code != alone.code:
        yield f"the exit code is {ours.code}, terraform's is {alone.code}"
    lines = OURS.findall(ours.stdout) + OURS.findall(ours.stderr)
    if len(lines) > 1:
        yield f"{len(lines)} lines are ours: {lines}"
    for name in ("stdout", "stderr"):
        wanted = FOOTER.sub(b"", mask_output(getattr(alone, name), scene.theirs))
        found = FOOTER.sub(b"", mask_output(getattr(ours, name), scene.ours))
        found = SHELL.sub(b"", found)
        if found != wanted:
            at = _find_difference(found, wanted)
            yield f"{name} has {found[at : at + 200]!r}, not {wanted[at : at + 200]!r}"
    if ours.seconds - alone.seconds > BUDGET + SLACK:
        yield f"it took {ours.seconds:.0f} s, terraform alone {alone.seconds:.0f} s"


def _find_difference(one: bytes, other: bytes) -> int:
    """The position at which two texts begin to differ."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _judge_secrets(scene: Scene) -> Iterator[str]:
    """Yields each place where a secret is: the API key belongs in one request header, and nowhere
    else."""
    for _, ours in scene.said:
        for line in OURS.findall(ours.stdout) + OURS.findall(ours.stderr):
            if CANARY in line:
                yield f"a secret is said: {line!r}"
    for home in scene.homes:
        for path in home.rglob("*"):
            if path.is_file() and CANARY in path.read_bytes():
                yield f"a secret is kept in {path}"
    for server in (*scene.servers, scene.healthy):
        for text in _read_requests(server):
            if CANARY in re.sub(rb"(?im)^x-api-key: .*$", b"", text):
                yield f"a secret is sent: {text[:300]!r}"


def read_events(scene: Scene) -> list[Kept]:
    """The events of all home directories, in the order in which they were put."""
    found = [event for home in scene.homes for event in _read_journal(home)]
    return sorted(found, key=attrgetter("put_at"))


def _read_journal(home: Path) -> list[Kept]:
    """The events of one journal; empty without a journal, or without a table in it: the disk was
    full."""
    path = home / "journal.db"
    if not path.is_file():
        return []
    with closing(sqlite3.connect(path)) as db:
        if not db.execute("select 1 from sqlite_master where name = 'events'").fetchone():
            return []
        query = "select put_at, event_id, status, body from events order by seq"
        return [Kept(*row) for row in db.execute(query)]


def find_ids(server: object) -> Iterator[str]:
    """The IDs of the events that a server was sent."""
    for text in _read_requests(server):
        _, _, body = text.partition(b"\r\n\r\n")
        found = re.search(rb'"event_id": ?"([^"]+)"', body)
        if found:
            yield found[1].decode()


def _read_requests(server: object) -> list[bytes]:
    if isinstance(server, Endpoint):
        return [_write_request(request) for request in server.requests]
    heard: list[bytes] = server.heard  # type: ignore[attr-defined]
    return heard


def _write_request(request: Request) -> bytes:
    headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"{request.method} {request.target}\r\n{headers}\r\n".encode() + request.body
