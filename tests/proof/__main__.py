"""Tries the promises at scale: `python tests/proof SUITE`, and `page` to document the results.

Each suite prints its figures; with `--keep` they are recorded for docs/proof.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # for support, beside this folder

import page
from record import Outcome, Record, make_record, write_record
from suites import SUITES


def main() -> int:
    """Runs what the command line asks for; returns 1 if anything was wrong, else 0."""
    wanted = _arguments()
    if wanted.suite == "page":
        page.write_pages()
        return 0
    begin = time.monotonic()
    outcome: Outcome = SUITES[wanted.suite].run(wanted)
    record = make_record(wanted.suite, sys.argv[2:], time.monotonic() - begin, outcome)
    _tell(record, outcome, wanted.json)
    if wanted.keep:
        write_record(record)
        page.write_pages()
    return 1 if outcome.wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/proof", description=__doc__)
    suites = parser.add_subparsers(dest="suite", required=True)
    for name, suite in SUITES.items():
        one = suites.add_parser(name, help=suite.ABOUT, description=suite.ABOUT)
        suite.add_options(one)
        one.add_argument("--json", action="store_true", help="for machines")
        one.add_argument("--keep", action="store_true", help="as the figures of docs/proof.md")
    suites.add_parser("page", help="write docs/proof.md and README.md's table again")
    return parser.parse_args()


def _tell(record: Record, outcome: Outcome, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**record.as_json(), "wrong": outcome.wrong}, indent=2))
        return
    for wrong in outcome.wrong:
        print(f"WRONG: {wrong}")
    for name, figure in record.figures.items():
        print(f"{figure:>10,} {name}")
    print(f"{len(outcome.wrong):>10} wrong, in {record.seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
