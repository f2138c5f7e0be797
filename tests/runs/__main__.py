"""As many random runs as you like: `python tests/runs --engine terraform --seed 0 --runs 100`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from twinned import check


def main() -> int:
    """Prints what differed; 1 if anything did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="terraform", help="a name on PATH, or a path")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--runs", type=int, default=20, help="how many seeds")
    parser.add_argument("--jobs", type=int, default=2)
    wanted = parser.parse_args()
    engine = Path(shutil.which(wanted.engine) or wanted.engine).absolute()
    seeds = range(wanted.seed, wanted.seed + wanted.runs)
    absent: Counter[str] = Counter()
    runs = wrong = 0
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(wanted.jobs) as pool:
        for found in pool.map(lambda seed: check(seed, engine, Path(name) / str(seed)), seeds):
            runs, wrong = runs + found.runs, wrong + len(found.wrong)
            absent += found.absent
            for line in found.wrong:
                print(line, flush=True)
    print(
        f"{engine}: {runs} runs of {len(seeds)} seeds, {wrong} differences, absent: {dict(absent)}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
