"""Random runs: `python tests/support/runs --engine PATH --seed N --runs N --jobs 2 [--show]`."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from support.runs.chain import Chain, Found
from support.runs.world import Dialect

STEPS = 5


def ask_dialect(engine: Path) -> Dialect:
    """What the engine calls itself."""
    said = subprocess.run(
        [engine, "version"],
        capture_output=True,
        check=True,
        text=True,
        env={"CHECKPOINT_DISABLE": "1", "HOME": "/nowhere"},
    )
    found = re.search(r"(Terraform|OpenTofu) v(\d+)\.(\d+)", said.stdout)
    assert found, said.stdout
    return Dialect(found[1], (int(found[2]), int(found[3])))


def play(engine: Path, dialect: Dialect, seed: int, place: Path, steps: int) -> list[Found]:
    """All steps of one seed; what was right is cleared away."""
    directory = place / f"seed{seed}"
    try:
        found = list(Chain(engine, dialect, seed, directory).run(steps))
    except Exception as error:  # the other seeds go on
        print(f"seed {seed} breaks off: {type(error).__name__}: {error}", flush=True)
        return []
    for one in found:
        if not one.wrong:
            shutil.rmtree(directory / f"step{one.number}", ignore_errors=True)
    if not any(one.wrong for one in found):
        shutil.rmtree(directory, ignore_errors=True)
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/support/runs", description=__doc__)
    parser.add_argument("--engine", type=Path, default=shutil.which("terraform"))
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--runs", type=int, default=20, help="how many seeds")
    parser.add_argument("--steps", type=int, default=STEPS, help="commands of each seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--show", action="store_true", help="every run, not only the wrong ones")
    parser.add_argument("--place", type=Path, help="where wrong runs are kept")
    return parser.parse_args()


@dataclass
class Summary:
    """All runs so far."""

    total: int = 0
    wrong: int = 0
    counters: dict[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in ("kinds", "right", "absent")}
    )

    def add(self, one: Found) -> None:
        self.total += 1
        self.wrong += bool(one.wrong)
        self.counters["kinds"][one.kind] += 1
        self.counters["right"].update(one.right)
        self.counters["absent"].update(one.absent)

    def __str__(self) -> str:
        lines = [f"{self.total} runs, {self.wrong} wrong"]
        for name, counter in self.counters.items():
            lines += [f"{name}:", *(f"{n:6} {what}" for what, n in counter.most_common())]
        return "\n".join(lines)


def describe(one: Found, place: Path) -> str:
    """A run in words, and where it can be done again."""
    told = [*one.wrong, *(f"({absent} absent)" for absent in one.absent)]
    words = f"{' '.join(one.step.words)} {one.step.typed!r}"
    head = f"seed {one.seed} step {one.number} [{one.kind}] {words}"
    again = [f"{place}/seed{one.seed}/step{one.number}/again.sh"] if one.wrong else []
    return "\n    ".join([head, *told, *again])


def main() -> int:
    options = arguments()
    engine = options.engine.absolute()
    dialect = ask_dialect(engine)
    place = options.place or Path(tempfile.mkdtemp(prefix="tfevents-runs-"))
    place.mkdir(parents=True, exist_ok=True)
    summary = Summary()
    with ThreadPoolExecutor(options.jobs) as pool:
        seeds = range(options.seed, options.seed + options.runs)
        runs = [pool.submit(play, engine, dialect, s, place, options.steps) for s in seeds]
        for done in as_completed(runs):
            for one in done.result():
                summary.add(one)
                if one.wrong or options.show:
                    print(describe(one, place), flush=True)
            (place / "summary.txt").write_text(f"{summary}\n")
    print(f"{dialect.product} {dialect.version}: {summary}\nkept in {place}")
    return 1 if summary.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
