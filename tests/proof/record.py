"""The result of a suite, and the files that keep the figures of docs/proof.md."""

from __future__ import annotations

import datetime
import json
import os
import platform
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
OPTIONS_OF_THE_RUN = {"--keep", "--json"}


@dataclass
class Outcome:
    """The figures of a suite, by what they count, and what was wrong, one line each."""

    figures: Counter[str]
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Record:
    """One run of a suite. `command` repeats it; `wrong` is how many things were wrong."""

    suite: str
    command: str
    date: str
    machine: str
    seconds: float
    figures: dict[str, int]
    wrong: int

    def as_json(self) -> dict[str, Any]:
        """The record as its JSON file holds it."""
        return asdict(self)


def make_record(suite: str, options: Sequence[str], seconds: float, outcome: Outcome) -> Record:
    """The record of a run that ended now, on this machine."""
    words = [word for word in options if word not in OPTIONS_OF_THE_RUN]
    return Record(
        suite,
        shlex.join(["python", "tests/proof", suite, *words]),
        datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}",
        round(seconds, 1),
        dict(outcome.figures),
        len(outcome.wrong),
    )


def write_record(record: Record) -> None:
    """Replaces the last record of the suite."""
    text = json.dumps(record.as_json(), indent=2, ensure_ascii=False)
    (RESULTS / f"{record.suite}.json").write_text(f"{text}\n")


def read_record(suite: str) -> Record | None:
    """The kept record of a suite; None if there is none yet."""
    path = RESULTS / f"{suite}.json"
    return Record(**json.loads(path.read_text())) if path.exists() else None
