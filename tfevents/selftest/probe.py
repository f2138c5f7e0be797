"""A program that runs in place of terraform and records what a child process of the wrapper sees.

SELFTEST_REPORT names the file to write to. SELFTEST_TASK: empty, `size` (waits until the terminal's
size changes) or `signals` (counts signals until none has arrived for SETTLED_SECONDS).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections import Counter
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SETTLED_SECONDS = 0.7
"""How long to wait for a further signal; one that the wrapper sends twice follows at once."""


def main() -> int:
    """Writes the report; the exit code is always 0."""
    if sys.argv[1:2] != ["apply"]:  # a query by tfevents itself, such as `version`
        return 0
    seen, task = describe_surroundings(), os.environ.get("SELFTEST_TASK")
    if task == "size":
        seen["size"] = wait_for_size()
    if task == "signals":
        seen["signals"] = count_signals()
    with open(os.environ["SELFTEST_REPORT"], "w", encoding="utf-8") as report:
        json.dump(seen, report)
    return 0


def describe_surroundings() -> dict[str, Any]:
    """All that a program can see of how it was started."""
    mask = os.umask(0)
    os.umask(mask)
    return {
        "arguments": sys.argv[1:],
        "directory": os.getcwd(),
        "environment": dict(os.environ),
        "terminals": [os.isatty(stream) for stream in (0, 1, 2)],
        "size": list(shutil.get_terminal_size((0, 0))) if os.isatty(1) else None,
        "foreground": os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp(),
        "descriptors": list_descriptors(),
        "umask": mask,
        "blocked signals": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "ignored signals": [n for n in SIGNALS if signal.getsignal(n) is signal.SIG_IGN],
    }


def list_descriptors() -> list[int]:
    """The open file descriptors below 256. Listing them opens none."""
    return [n for n in range(256) if is_open(n)]


def is_open(descriptor: int) -> bool:
    """Whether this file descriptor is open."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def wait_for_size() -> list[int]:
    """Waits until the terminal's size changes; the new columns and rows."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})
    os.write(1, b"ready\n")
    signal.sigwait({signal.SIGWINCH})
    return list(os.get_terminal_size(1))


def count_signals() -> dict[str, int]:
    """Waits for a signal; signal's name → how many arrived until none did for SETTLED_SECONDS."""
    seen: Counter[str] = Counter()
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    os.write(1, b"ready\n")
    number = signal.sigwait(SIGNALS)
    while True:
        seen[signal.Signals(number).name] += 1
        found = signal.sigtimedwait(SIGNALS, SETTLED_SECONDS)
        if found is None:
            return dict(seen)
        number = found.si_signo


if __name__ == "__main__":
    sys.exit(main())
