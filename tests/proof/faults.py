"""Plays the table of what can go wrong around a run, each case with a real plan and apply."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from record import Outcome
from support.faults import endpoints, surroundings
from support.faults.case import Case

ABOUT = "broken servers, TLS, proxies and machines: terraform is unchanged and no event is lost"
CASES = [*endpoints.CASES, *surroundings.CASES]
GROUPS = list(dict.fromkeys(case.group for case in CASES))
SKIPPED = "cases that this machine can't have"


def add_options(parser: ArgumentParser) -> None:
    """Adds the options: which cases, and how many at a time."""
    parser.add_argument("--group", action="append", choices=GROUPS, help="repeatable")
    parser.add_argument("--case", help="those whose name holds this text")
    parser.add_argument("--jobs", type=int, default=2, help="cases at a time")


def run(options: Namespace) -> Outcome:
    """Plays the chosen cases."""
    chosen = [case for case in CASES if is_chosen(case, options)]
    outcome = Outcome(Counter({"cases": 0, **dict.fromkeys(GROUPS, 0), SKIPPED: 0}))
    with ThreadPoolExecutor(options.jobs) as pool:
        for case, wrong in zip(chosen, pool.map(play, chosen), strict=True):
            add(outcome, case, wrong)
    return outcome


def is_chosen(case: Case, options: Namespace) -> bool:
    """Whether the options ask for this case."""
    return case.group in (options.group or GROUPS) and (options.case or "") in case.name


def play(case: Case) -> list[str] | None:
    """What is wrong, a line each; None if this machine can't play the case."""
    try:
        return case.play()
    except pytest.skip.Exception as why:
        print(f"without {case.group}, {case.name}: {why}", file=sys.stderr)
        return None
    except Exception as error:  # a case that can't be finished is wrong, and the others go on
        return [f"it broke off: {type(error).__name__}: {error}"]


def add(outcome: Outcome, case: Case, wrong: list[str] | None) -> None:
    """Adds the result of one case to the outcome and reports it on stderr."""
    name = f"{case.group}: {case.name}"
    if wrong is None:
        outcome.figures[SKIPPED] += 1
        return
    outcome.figures["cases"] += 1
    outcome.figures[case.group] += 1
    outcome.wrong += [f"{name}: {line}" for line in wrong]
    print(f"{name}: {'wrong' if wrong else 'good'}", file=sys.stderr)
