"""One episode: kills and other trouble, then flushes that must deliver everything, and what was
wrong."""

from __future__ import annotations

import math
import random
import shutil
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from support.endpoint import Endpoint
from support.loss.copies import judge_copies, take_copy
from support.loss.judge import Window, find_twins, judge
from support.loss.plan import Plan, Trouble, Wave, draw_plan
from support.loss.processes import wait_until_gone
from support.loss.scene import Scene
from support.loss.trouble import fill, free, set_times, small_disk

LONG_AGO = "2025-01-01T00:00:00Z"
"""A time so long ago that a hook's open run counts as abandoned."""
COPIES = 1
"""How many copies of the journal are judged in each episode."""


@dataclass
class Found:
    """The result of one seed: what was counted, and what was wrong."""

    seed: int
    figures: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def play_episode(seed: int, place: Path) -> Found:
    """Plays all waves of a seed under `place`; its files stay there if something was wrong."""
    directory = place / f"seed{seed}"
    directory.mkdir(parents=True)
    with Endpoint() as endpoint:
        episode = Episode(draw_plan(seed), Scene(directory, endpoint))
        full = episode.plan.trouble is Trouble.FULL
        with small_disk(episode.disk) if full else nullcontext(False) as episode.small:
            found = episode.play()
            if found.wrong and full:
                shutil.copytree(episode.disk, directory / "kept")  # the disk is unmounted
    if not found.wrong:
        shutil.rmtree(directory)
    return found


class Episode:
    """Plays one episode. `small`: whether the home directory has a disk of its own."""

    def __init__(self, plan: Plan, scene: Scene) -> None:
        self.plan, self.scene, self.small = plan, scene, False
        self.disk = scene.home.parent
        self._found = Found(plan.seed)
        self._copies: list[Path] = []
        self._full: list[Window] = []
        self._alone = threading.Lock()  # a copy stops all other processes of the home

    def play(self) -> Found:
        """Plays all waves, sends everything, and judges what arrived."""
        for wave in self.plan.waves:
            self._play(wave)
        found, scene = self._found, self.scene
        scene.heal()
        found.wrong += self._send_all()
        found.wrong += judge(scene, self._full, self.plan.trouble)
        draw = random.Random(self.plan.seed)
        copies = [copy for copy in self._copies if (copy / "journal.db").exists()]
        chosen = draw.sample(copies, min(COPIES, len(copies)))
        found.wrong += judge_copies(scene, chosen, draw)
        found.figures["copies of a journal, and as many torn ones"] = len(chosen)
        self._count()
        return found

    def _play(self, wave: Wave) -> None:
        doing = [self._copy]
        doing += [self._make_trouble] if self.plan.trouble is not Trouble.NONE else []
        self.scene.play(wave, *(threading.Thread(target=do, args=(wave,)) for do in doing))
        if left := wait_until_gone(self.scene.home):
            self._found.wrong.append(f"processes that do not end: {left}")
        if self.small:
            free(self.disk)
            self._full[-1] = Window(self._full[-1].begin, time.monotonic())

    def _copy(self, wave: Wave) -> None:
        time.sleep(wave.copy_at)
        copy = self.scene.place / "copies" / str(len(self._copies))
        self._copies.append(copy)
        with self._alone:
            take_copy(self.scene.home, copy)

    def _make_trouble(self, wave: Wave) -> None:
        time.sleep(wave.trouble_at)
        if self.small:
            self._full.append(Window(time.monotonic(), math.inf))
            fill(self.disk, self.plan.room)
        elif self.plan.trouble is Trouble.CLOCK:
            with self._alone:
                set_times(self.scene.home, self.plan.time)

    def _send_all(self) -> Iterator[str]:
        """Sends all that waits by two flushes at once, the ends of abandoned hook runs too; yields
        what is wrong."""
        self.scene.run("log")  # creates the journal if no process has done so
        for home in (self.scene.home, self.scene.spare):
            if (home / "journal.db").exists():
                with closing(sqlite3.connect(home / "journal.db")) as db, db:
                    db.execute("update runs set opened_at = ? where key is not null", (LONG_AGO,))
        with ThreadPoolExecutor(2) as pool:
            flushes = [pool.submit(self.scene.run, "flush") for _ in range(2)]
        for flush in flushes:
            done = flush.result()
            if done.returncode or done.stderr:
                yield f"flush: {done.returncode} {done.stdout!r} {done.stderr!r}"

    def _count(self) -> None:
        figures, scene = self._found.figures, self.scene
        kills = [one for one in scene.ended if one.killed]
        figures["kills"] = len(kills)
        for one in kills:
            figures[f"kills of a {one.victim.kind.value}"] += 1
        figures["waves on a full disk"] = len(self._full)
        if self.plan.trouble is Trouble.CLOCK:
            figures["jumps of the clock"] = len(self.plan.waves)
        figures["pairs of flushes at once"] = 1
        events = {str(event["data"]["event_id"]) for event in scene.endpoint.events}
        figures["events, all of which arrived"] = len(events)
        figures["events that came again, as nobody knew"] = len(find_twins(scene))
