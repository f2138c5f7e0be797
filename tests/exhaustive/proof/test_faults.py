"""The suite `faults` of tests/proof: one of its cases, and what its judge finds."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from support.endpoint import Endpoint
from support.faults.judge import judge
from support.faults.scene import EVENTS, Scene
from support.faults.servers import Server, say
from support.paths import TESTS


@pytest.mark.parametrize("group", ["endpoint", "proxy"])
def test_nobody_listens(group: str) -> None:
    """The case `nobody listens` has no wrong result, for the endpoint and for a proxy."""
    words = [TESTS / "proof", "faults", "--json", "--group", group, "--case", "nobody listens"]
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, timeout=240
    )
    told = json.loads(done.stdout)
    assert told["wrong"] == []
    assert (told["figures"]["cases"], told["figures"][group]) == (1, 1)
    assert done.returncode == 0


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A played scene in which the judge finds nothing wrong."""
    with Endpoint() as healthy:
        played = Scene(tmp_path, healthy)
        played.play()
        assert list(judge(played, EVENTS)) == []
        yield played


def end_otherwise(scene: Scene) -> None:
    alone, ours = scene.said[0]
    scene.said[0] = (alone, replace(ours, code=0))


def hang(scene: Scene) -> None:
    alone, ours = scene.said[0]
    scene.said[0] = (alone, replace(ours, code=None))


def take_long(scene: Scene) -> None:
    alone, ours = scene.said[0]
    scene.said[0] = (alone, replace(ours, seconds=ours.seconds + 60))


def swallow_a_line(scene: Scene) -> None:
    alone, ours = scene.said[1]
    scene.said[1] = (alone, replace(ours, stdout=ours.stdout.replace(b"Apply complete!", b"")))


def say_more(scene: Scene) -> None:
    alone, ours = scene.said[0]
    scene.said[0] = (alone, replace(ours, stderr=ours.stderr + b"tfevents: and more\n"))


def say_a_secret(scene: Scene) -> None:
    alone, ours = scene.said[0]
    scene.said[0] = (alone, replace(ours, stderr=b"tfevents: canary\n"))


def keep_a_secret(scene: Scene) -> None:
    (scene.home / "note").write_text("canary")


def send_a_secret(scene: Scene) -> None:
    with Server(say()) as server:
        server.heard.append(b"POST /?token=canary HTTP/1.1\r\n\r\n")
        scene.servers.append(server)


def change(statement: str) -> Callable[[Scene], None]:
    """A function that executes an SQL statement in a scene's journal."""

    def plant(scene: Scene) -> None:
        with closing(sqlite3.connect(scene.home / "journal.db")) as db, db:
            db.execute(statement)

    return plant


PLANTED: dict[str, Callable[[Scene], None]] = {
    "exit code": end_otherwise,
    "did not end": hang,
    "it took": take_long,
    "stdout has": swallow_a_line,
    "lines are ours": say_more,
    "is said": say_a_secret,
    "is kept": keep_a_secret,
    "is sent": send_a_secret,
    "the events are": change("delete from events where seq = 2"),
    "is pending": change("update events set status = 'pending' where seq = 2"),
    "heard: False": change("update events set event_id = 'another' where seq = 2"),
}
"""What the judge says, and the function that plants its cause."""


@pytest.mark.parametrize("words", PLANTED)
def test_the_judge_finds_what_is_planted(scene: Scene, words: str) -> None:
    """The judge finds the planted fault, and no other."""
    PLANTED[words](scene)
    (found,) = judge(scene, EVENTS)
    assert words in found
