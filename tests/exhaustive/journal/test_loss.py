"""Nothing is lost when processes are killed, in a few episodes (more: `python tests/proof loss
--help`), and the judge of these episodes notices losses."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from support.endpoint import Endpoint
from support.loss.episode import play_episode
from support.loss.judge import judge
from support.loss.plan import Kind, Moment, Trouble, Victim, Wave, draw_plan
from support.loss.scene import Scene

SEEDS = {Trouble.NONE: 2, Trouble.CLOCK: 6, Trouble.FULL: 9}


@pytest.mark.parametrize("trouble", Trouble)
def test_nothing_is_lost_whoever_is_killed(tmp_path: Path, trouble: Trouble) -> None:
    """Each run has one end, and each event arrives once, in order and unchanged, whichever
    processes are killed."""
    assert draw_plan(SEEDS[trouble]).trouble is trouble
    found = play_episode(SEEDS[trouble], tmp_path)
    assert found.wrong == []
    assert found.figures["kills"] >= 10


def victim(number: int) -> Victim:
    """An apply that ends by itself long before it would be killed."""
    return Victim(
        kind=Kind.WRAPPER,
        number=number,
        command="apply",
        workspace="one",
        signal=signal.SIGKILL,
        group=False,
        moment=Moment.CLOCK,
        seconds=60.0,
        line=0,
        has_key=True,
        graceful=False,
        exit_code=0,
    )


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A home directory and endpoint after two such runs, of which all events arrived."""
    with Endpoint() as endpoint:
        scene = Scene(tmp_path_factory.mktemp("scene"), endpoint)
        for number in range(2):
            scene.play(Wave((victim(number),), (), 0.0, 0.0))
        shutil.copy(scene.home / "journal.db", scene.place)
        yield scene


@pytest.fixture
def scene(good: Scene) -> Scene:
    """The same, with the journal restored to its original content."""
    shutil.copy(good.place / "journal.db", good.home)
    return good


def judged(scene: Scene) -> list[str]:
    """The faults that the judge finds."""
    return list(judge(scene, [], Trouble.NONE))


def change(scene: Scene, statement: str) -> None:
    """Executes an SQL statement in the journal."""
    with closing(sqlite3.connect(scene.home / "journal.db")) as db, db:
        db.execute(statement)


def test_what_is_right_is_right(scene: Scene) -> None:
    """The judge finds nothing wrong with two complete runs."""
    assert judged(scene) == []
    assert len(scene.endpoint.events) == 4


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("update events set status = 'pending' where seq = 1", "is pending"),
        ("update events set event_id = 'lost' where seq = 2", "arrived: False"),
        ("delete from events where seq = 1", "not in the journal"),
        ("update events set body = json_set(body, '$.data.a', 'b') where seq = 1", "as another"),
        ("update events set seq = 9 where seq = 1", "in another order"),
        (
            "insert into runs (run_id, directory) values ('r', 'd')",
            "run r in d has []",
        ),
    ],
)
def test_what_is_wrong_is_noticed(scene: Scene, statement: str, words: str) -> None:
    """The judge notices each change of the journal."""
    change(scene, statement)
    assert words in " ".join(judged(scene))


def test_a_folder_that_stays_is_noticed(scene: Scene) -> None:
    """The judge notices a run folder that was left behind."""
    left = scene.home / "runs" / "left"
    left.mkdir()
    assert "still holds ['left']" in " ".join(judged(scene))
    left.rmdir()


@pytest.mark.parametrize(("killed", "noticed"), [(None, True), (0, True), (1, False)])
def test_a_twin_is_noticed(scene: Scene, killed: int | None, noticed: bool) -> None:
    """The judge accepts an event that arrived twice only if the run that sent the event was
    killed."""
    requests, ended = scene.endpoint._requests, scene.ended
    requests.append(requests[-1])
    scene.ended = [replace(one, killed=one.victim.number == killed) for one in ended]
    assert ("arrived twice" in " ".join(judged(scene))) is noticed
    requests.pop()
    scene.ended = ended


def test_another_exit_code_is_noticed(scene: Scene) -> None:
    """The judge notices that a wrapper's exit code is not terraform's."""
    ended = scene.place / victim(0).directory / "ended"
    ended.write_text("3\n")
    assert "ended with 0, not {3}" in " ".join(judged(scene))
    ended.write_text("0\n")


PYTHONS = 'Traceback (most recent call last):\n  File "<frozen codecs>", line 186, in __init__\n'


STRING = 'Traceback:\n  File "<string>", line %d, in <module>\nKeyboardInterrupt\n'


@pytest.mark.parametrize(
    ("said", "number", "noticed"),
    [
        (f"{PYTHONS}KeyboardInterrupt\n", signal.SIGINT, False),
        (f"{PYTHONS}KeyboardInterrupt\n", signal.SIGTERM, True),
        (f"{PYTHONS}KeyError: 1\n", signal.SIGINT, True),
        (f'{PYTHONS}  File "/a/x.py", line 0, in y\nKeyboardInterrupt\n', signal.SIGINT, True),
        (f"{PYTHONS}KeyboardInterrupt\ntfevents: (a bug)\n", signal.SIGINT, True),
        (STRING % 0, signal.SIGINT, False),
        (STRING % 9, signal.SIGINT, True),
        ("tfevents: KeyError (a bug)\n", signal.SIGINT, True),
    ],
)
def test_a_bug_is_noticed(scene: Scene, said: str, number: signal.Signals, noticed: bool) -> None:
    """The judge notices tracebacks, except Python's own after a Ctrl-C before the first line of
    tfevents."""
    ended = scene.ended
    scene.ended = [
        replace(one, said=said, victim=replace(one.victim, signal=number)) for one in ended
    ]
    assert (f"said {said!r}" in " ".join(judged(scene))) is noticed
    scene.ended = ended
