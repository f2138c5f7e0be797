"""Kills processes at random and checks that no event is lost."""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from math import inf
from pathlib import Path

from record import Outcome
from support.loss.episode import Found, play_episode

ABOUT = "processes killed at random: no event is lost, none sent twice unless its response was lost"


def add_options(parser: ArgumentParser) -> None:
    """Adds the options: how many kills, for how long, and from which seed."""
    parser.add_argument("--kills", type=int, default=200, help="at least so many")
    parser.add_argument("--minutes", type=float, default=inf, help="no longer than this")
    parser.add_argument("--seed", type=int, default=1, help="the first one; each has some 25 kills")
    parser.add_argument("--jobs", type=int, default=2)


def run(options: Namespace) -> Outcome:
    """Plays seed after seed until there were enough kills, or the time is over."""
    outcome = Outcome(Counter({"kills": 0, "seeds": 0}))
    place = Path(tempfile.mkdtemp(prefix="tfevents-loss-"))
    seeds, end = itertools.count(options.seed), time.monotonic() + options.minutes * 60
    with ThreadPoolExecutor(options.jobs) as pool:
        working: set[Future[Found]] = set()
        while True:
            over = outcome.figures["kills"] >= options.kills or time.monotonic() > end
            while len(working) < options.jobs and not over:
                working.add(pool.submit(_play, next(seeds), place))
            if not working:
                return outcome
            done, working = wait(working, return_when=FIRST_COMPLETED)
            for one in done:
                _add(outcome, one.result(), place)


def _play(seed: int, place: Path) -> Found:
    """Plays one seed; an exception counts as wrong, and the other seeds go on."""
    try:
        return play_episode(seed, place)
    except Exception as error:  # broad on purpose: it is reported
        return Found(seed, wrong=[f"it breaks off: {type(error).__name__}: {error}"])


def _add(outcome: Outcome, found: Found, place: Path) -> None:
    outcome.figures.update(found.figures)
    outcome.figures["seeds"] += 1
    again = f"python tests/proof loss --kills 1 --seed {found.seed}; kept in {place}"
    outcome.wrong += [f"seed {found.seed}: {wrong} (again: {again})" for wrong in found.wrong]
    told = f"seed {found.seed}: {outcome.figures['kills']:,} kills, {len(outcome.wrong)} wrong"
    print(told, *found.wrong, sep="\n  ", file=sys.stderr, flush=True)
