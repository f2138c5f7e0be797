"""Random runs on every engine: what tfevents does and tells, against the engine alone."""

from __future__ import annotations

import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engines import add_option, find_engines
from record import Outcome
from support.runs.chain import Found
from support.runs.play import play_seed

ABOUT = "counts and outcomes are the engine's own, in random runs of random configurations"
COMMANDS = 5
FIGURES = ("commands", "runs", "engines", "counts compared", "counts absent")


def add_options(parser: ArgumentParser) -> None:
    """How many, which, and where wrong ones are kept."""
    add_option(parser)
    parser.add_argument("--runs", type=int, default=4, help="of each engine")
    parser.add_argument("--seed", type=int, default=1, help="of the first run; then one more each")
    parser.add_argument("--commands", type=int, default=COMMANDS, help="of each run")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--place", type=Path, help="where wrong runs are kept")


def run(options: Namespace) -> Outcome:
    """Each engine's runs."""
    outcome = Outcome(Counter(dict.fromkeys(FIGURES, 0)))
    place = options.place or Path(tempfile.mkdtemp(prefix="tfevents-exactness-"))
    for name, engine in find_engines(options.engine):
        print(f"{name} …", file=sys.stderr)
        outcome.figures["engines"] += 1
        for found in _play(engine, place / name, options):
            _add(outcome, name, found)
    if outcome.wrong:
        print(f"kept in {place}", file=sys.stderr)
    return outcome


def _play(engine: Path, place: Path, options: Namespace) -> Iterator[Sequence[Found]]:
    seeds = range(options.seed, options.seed + options.runs)
    with ThreadPoolExecutor(options.jobs) as pool:
        runs = [pool.submit(play_seed, engine, s, place, options.commands) for s in seeds]
        for done in runs:
            yield done.result()


def _add(outcome: Outcome, engine: str, found: Sequence[Found]) -> None:
    outcome.figures["runs"] += 1
    for one in found:
        compared = sum(n for what, n in one.right.items() if what.endswith("_counts"))
        _count(outcome, engine, "commands", 1)
        _count(outcome, engine, "counts compared", compared)
        _count(outcome, engine, "counts absent", len(one.absent))
        outcome.wrong += [f"{engine}: {describe(one)}"] if one.wrong else []


def _count(outcome: Outcome, engine: str, what: str, number: int) -> None:
    outcome.figures[what] += number
    outcome.figures[f"{engine}: {what}"] += number


def describe(one: Found) -> str:
    """A wrong command in one line."""
    words = " ".join(one.step.words)
    return f"seed {one.seed}, command {one.number + 1}, {words}: {'; '.join(one.wrong)}"
