"""Kills, and what of the events is lost by them: nothing."""

from __future__ import annotations

import itertools
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from record import Outcome
from support.loss.episode import Found, play_episode

ABOUT = "no event is lost or sent twice, whoever is killed"


def add_options(parser: ArgumentParser) -> None:
    """How many, and which."""
    parser.add_argument("--kills", type=int, default=200, help="at least so many")
    parser.add_argument("--seed", type=int, default=1, help="the first one; each has some 25 kills")
    parser.add_argument("--jobs", type=int, default=2)


def run(options: Namespace) -> Outcome:
    """Seed after seed, until there were as many kills."""
    outcome = Outcome(Counter({"kills": 0, "seeds": 0}))
    place = Path(tempfile.mkdtemp(prefix="tfevents-loss-"))
    seeds = itertools.count(options.seed)
    with ThreadPoolExecutor(options.jobs) as pool:
        working: set[Future[Found]] = set()
        while outcome.figures["kills"] < options.kills or working:
            while len(working) < options.jobs and outcome.figures["kills"] < options.kills:
                working.add(pool.submit(play_episode, next(seeds), place))
            done, working = wait(working, return_when=FIRST_COMPLETED)
            for one in done:
                _add(outcome, one.result(), place)
    return outcome


def _add(outcome: Outcome, found: Found, place: Path) -> None:
    outcome.figures.update(found.figures)
    outcome.figures["seeds"] += 1
    again = f"python tests/proof loss --kills 1 --seed {found.seed}; kept in {place}"
    outcome.wrong += [f"seed {found.seed}: {wrong} (again: {again})" for wrong in found.wrong]
    told = f"{outcome.figures['kills']:,} kills, {len(outcome.wrong)} wrong"
    print(f"seed {found.seed}: {told}", *found.wrong, sep="\n  ", file=sys.stderr, flush=True)
