"""Measures how fast one journal takes events, from one process or from many at once."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from measure import Row

EVENTS = 200
PUT = f"""\
import sys, uuid
from tfevents.journal.models import Destination, NewEvent
from tfevents.journal.journal import open_journal
journal = open_journal(sys.argv[1])
where, body = Destination("a", "o", "p", "w"), {{"event_type": "plan", "data": {{"k": "v" * 500}}}}
sys.stdin.readline()
for _ in range({EVENTS} // int(sys.argv[2])):
    journal.put(NewEvent(str(uuid.uuid4()), "run", where, body))
"""


def measure(wanted: argparse.Namespace) -> Iterator[Row]:
    """Times the puts; each is on the disk before the next begins (`synchronous = full`)."""
    for many in wanted.processes:
        with tempfile.TemporaryDirectory() as home:
            seconds = _together([sys.executable, "-c", PUT, home, str(many)], many)
        done = EVENTS // many * many
        rate = f"{done / seconds:.0f} events"
        yield Row(f"journal, {done} events by {many} processes", ours=seconds, rate=rate)


def _together(command: list[str], many: int) -> float:
    """Seconds from the moment when all processes may begin until the last one has ended."""
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, text=True) for _ in range(many)]
    began = time.perf_counter()
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    if any(process.wait() for process in started):
        raise RuntimeError("a process could not put its events")
    return time.perf_counter() - began
