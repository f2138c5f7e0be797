"""One episode: kills, then a flush that must find everything, and the verdict."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from support.endpoint import Endpoint
from support.loss.judge import find_twins, judge
from support.loss.plan import draw_waves
from support.loss.processes import wait_until_gone
from support.loss.scene import Scene

LONG_AGO = "2026-01-01T00:00:00Z"
"""For a hook's run that nobody closes."""


@dataclass
class Found:
    """What one seed brought: what was counted, and what was wrong."""

    seed: int
    figures: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def play_episode(seed: int, place: Path) -> Found:
    """All waves of a seed under `place`, which stays where something was wrong."""
    found = Found(seed)
    directory = place / f"seed{seed}"
    directory.mkdir(parents=True)
    with Endpoint() as endpoint:
        scene = Scene(directory, endpoint)
        for wave in draw_waves(seed):
            scene.play(wave)
        if left := wait_until_gone(scene.home):
            found.wrong.append(f"processes that do not end: {left}")
        scene.heal()
        found.wrong += _send_all(scene)
        found.wrong += judge(scene)
        _count(found, scene)
    if not found.wrong:
        shutil.rmtree(directory)
    return found


def _send_all(scene: Scene) -> list[str]:
    """Whatever waits, in one flush: and the ends of hooks' runs that nobody will close."""
    scene.run("log")  # makes a journal where no process has come so far
    with closing(sqlite3.connect(scene.home / "journal.db")) as db, db:
        db.execute("update runs set opened_at = ? where key is not null", (LONG_AGO,))
    done = scene.run("flush")
    if done.returncode or done.stderr:
        return [f"flush: {done.returncode} {done.stdout!r} {done.stderr!r}"]
    return []


def _count(found: Found, scene: Scene) -> None:
    kills = [one for one in scene.ended if one.killed_at is not None]
    found.figures["kills"] = len(kills)
    for one in kills:
        found.figures[f"kills of a {one.victim.kind.value}"] += 1
    events = {str(event["data"]["event_id"]) for event in scene.endpoint.events}
    found.figures["events, all of which arrived"] = len(events)
    found.figures["events that came again, as nobody knew"] = len(find_twins(scene))
