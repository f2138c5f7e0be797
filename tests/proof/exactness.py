"""Random runs on every engine: compares what tfevents does and reports with the engine alone."""

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
from support.runs.found import Found
from support.runs.play import Trial
from support.runs.script import Script, read_script, write_script

ABOUT = "counts and outcomes of random runs, compared with what the engine itself says"
COMMANDS = 5
PER_ENGINE = ("commands", "counts compared", "counts absent", "other facts compared")
FIGURES = (*PER_ENGINE, "runs", "engines")


def add_options(parser: ArgumentParser) -> None:
    """Adds the options: how many runs, which ones, and where wrong ones are kept."""
    add_option(parser)
    parser.add_argument("--runs", type=int, default=4, help="of each engine")
    parser.add_argument("--seed", type=int, default=1, help="of the first run; then one more each")
    parser.add_argument("--commands", type=int, default=COMMANDS, help="of each run")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--place", type=Path, help="where wrong runs are kept")
    parser.add_argument("--shrink", type=int, default=100, metavar="N", help="attempts; 0 for none")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="this one, not random ones")


def run(options: Namespace) -> Outcome:
    """Plays each engine's runs and keeps the wrong ones."""
    outcome = Outcome(Counter(dict.fromkeys(FIGURES, 0)))
    absent: Counter[str] = Counter()
    place = options.place or Path(tempfile.mkdtemp(prefix="tfevents-exactness-"))
    script = read_script(options.replay) if options.replay else None
    for name, path in find_engines(_named(options, script)):
        print(f"{name} …", file=sys.stderr)
        outcome.figures["engines"] += 1
        trial = Trial(name, path, place / name)
        played = [("replay", trial.play_script(script))] if script else _play(trial, options)
        for title, found in played:
            _add(outcome, f"{name}: {title}", found)
            _count(outcome, name, found)
            if any(one.wrong for one in found):
                _keep(trial, title, found, options.shrink)
            absent.update(what for one in found for what in one.absent)
    for what, number in absent.most_common():
        print(f"{number:>10} absent: {what}", file=sys.stderr)
    return outcome


def _named(options: Namespace, script: Script | None) -> Sequence[str] | None:
    """The engines that are asked for, else the engine of the replayed script; None for all."""
    return options.engine or ([script.engine] if script else None)


def _play(trial: Trial, options: Namespace) -> Iterator[tuple[str, list[Found]]]:
    """A title and the results of each seed's run."""
    seeds = range(options.seed, options.seed + options.runs)
    with ThreadPoolExecutor(options.jobs) as pool:
        runs = {seed: pool.submit(trial.play_seed, seed, options.commands) for seed in seeds}
        for seed, done in runs.items():
            yield f"seed {seed}", done.result()


def _keep(trial: Trial, title: str, found: Sequence[Found], attempts: int) -> None:
    """Writes a script that repeats a wrong run, as short as it can be made, and prints it on
    stderr."""
    path = trial.place / f"{title.replace(' ', '')}.json"
    write_script(path, trial.shrink(found, attempts))
    print(f"{path}, for --replay:\n{path.read_text()}", file=sys.stderr)


def _add(outcome: Outcome, title: str, found: Sequence[Found]) -> None:
    for number, one in enumerate(found, 1):
        words = " ".join(one.turn.words)
        outcome.wrong += [f"{title}, command {number}, {words}: {wrong}" for wrong in one.wrong]


def _count(outcome: Outcome, engine: str, found: Sequence[Found]) -> None:
    right = sum((one.right for one in found), Counter())
    compared = sum(right[what] for what in right if what.endswith("_counts"))
    facts = sum(right[what] for what in right if what.startswith("fact "))
    absent = sum(len(one.absent) for one in found)
    outcome.figures["runs"] += 1
    for what, number in zip(PER_ENGINE, (len(found), compared, absent, facts), strict=True):
        outcome.figures[what] += number
        outcome.figures[f"{engine}: {what}"] += number
