"""Hostile input: runs every test with the marker `fuzz`, with any number of examples."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from record import Outcome

ABOUT = "random and damaged input: each reader returns a value, or says in one line why it can't"
ROOT = Path(__file__).parents[2]
SECONDS = 300
"""Timeout of a test with its default number of examples."""
MEMORY = 3 << 30
"""Bytes of address space that each of the processes may use."""


def add_options(parser: ArgumentParser) -> None:
    """Adds the options: how many examples, and from which seed."""
    parser.add_argument("--times", type=float, default=1, help="the examples of the default run")
    parser.add_argument("--seed", type=int, default=1, help="of the first example of each test")
    parser.add_argument("--jobs", type=int, default=2, help="tests at a time")


def run(options: Namespace) -> Outcome:
    """Runs all of these tests in pytest."""
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.xml"
        subprocess.run(
            make_command(options, report),
            cwd=ROOT,
            env={
                **os.environ,
                "TFEVENTS_TEST_FUZZ": str(options.times),
                "TFEVENTS_TEST_FUZZ_SEED": str(options.seed),
            },
            stdout=sys.stderr,
            preexec_fn=bound_memory,
            check=False,
        )
        return read_report(report)


def make_command(options: Namespace, report: Path) -> list[str]:
    """The pytest command that runs the fuzz tests and writes a JUnit report."""
    seconds = round(SECONDS * max(1, options.times))
    return [
        *(sys.executable, "-m", "pytest", "-q", "-m", "fuzz", "tests/unit", "tests/integration"),
        *("-n", str(options.jobs), "--dist", "worksteal", "--timeout", str(seconds)),
        *("--junitxml", str(report), "-o", "junit_logging=system-out"),
    ]


def bound_memory() -> None:
    """Limits the address space of this process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def read_report(report: Path) -> Outcome:
    """Counts the examples by reader, and adds the tests that failed."""
    outcome = Outcome(Counter({"examples": 0, "readers": 0}))
    slowest = 0.0
    for case in ElementTree.parse(report).iter("testcase"):
        told = {p.attrib["name"]: p.attrib["value"] for p in case.iter("property")}
        number = int(told.get("examples", "0"))
        outcome.figures["examples"] += number
        outcome.figures[told.get("reader", "")] += number
        slowest = max(slowest, float(told.get("slowest", "0")))
        outcome.wrong += find_wrong(case)
    outcome.figures["readers"] = len(outcome.figures) - 2
    outcome.figures["milliseconds of the slowest example"] = round(1000 * slowest)
    return outcome


def find_wrong(case: ElementTree.Element) -> Iterator[str]:
    """A line for each failure of a test, with the environment variables that repeat its last
    example."""
    for failure in (*case.iter("failure"), *case.iter("error")):
        said = "".join(out.text or "" for out in case.iter("system-out"))
        again = said.rpartition("again: ")[2].splitlines()[:1]
        where = f"{case.attrib['classname']}::{case.attrib['name']}"
        yield " ".join([*again, f"pytest {where}:", failure.attrib.get("message", "")[:200]])
