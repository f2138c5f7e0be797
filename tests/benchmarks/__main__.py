"""Measures what tfevents costs in time and memory, compared with terraform alone where possible."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # for support, beside this folder

import counting
import delivering
import journaling
import relaying
import starting
import wrapping
from measure import Row

from tfevents.cli.output import Table

KINDS: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "start": starting.measure,
    "wrap": wrapping.measure,
    "count": counting.measure,
    "journal": journaling.measure,
    "deliver": delivering.measure,
    "relay": relaying.measure,
}


def main() -> None:
    """Prints progress on stderr, and one table (or JSON) on stdout."""
    wanted = _arguments()
    rows = [row for kind in wanted.kinds for row in _told(KINDS[kind](wanted))]
    if wanted.json:
        print(json.dumps([row.as_json() for row in rows], indent=2))
    else:
        Table(Row.TITLES, [row.cells() for row in rows], right=frozenset(Row.TITLES[1:])).show()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/benchmarks", description=__doc__)
    parser.add_argument("kinds", nargs="*", default=[*KINDS], help=f"any of {', '.join(KINDS)}")
    parser.add_argument(
        "--sizes", type=_sizes, default=[10, 1000, 10000], help="resources of a wrapped run"
    )
    parser.add_argument(
        "--megabytes", type=_sizes, default=[1, 10, 100, 1000], help="plan JSON to count"
    )
    parser.add_argument("--processes", type=_sizes, default=[1, 4, 16, 64], help="into the journal")
    parser.add_argument("--runs", type=int, default=15, help="pairs; fewer where a run is long")
    parser.add_argument("--aws", action="store_true", help="with the AWS provider, too")
    parser.add_argument("--json", action="store_true", help="for machines")
    wanted = parser.parse_args()
    if odd := set(wanted.kinds) - KINDS.keys():
        parser.error(f"there is no benchmark {', '.join(sorted(odd))}")
    return wanted


def _sizes(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _told(rows: Iterator[Row]) -> Iterator[Row]:
    """Writes each row to stderr as soon as it is measured (all of them take minutes), and passes it
    on."""
    for row in rows:
        sys.stderr.write("  ".join(filter(None, row.cells())) + "\n")
        yield row


if __name__ == "__main__":
    main()
