"""Times two commands in turn, A B A B …: medians, and the difference and ratio of each pair."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

ENOUGH_SECONDS = 60.0
"""Seconds after which a pair of commands is not repeated any more; it runs three times at least."""


@dataclass(frozen=True)
class Row:
    """One line of the table: times in seconds, `peak` in MiB, `rate` as a text, per second."""

    TITLES: ClassVar[tuple[str, ...]] = (
        *("what", "ours ms", "theirs ms", "added ms", "ratio", "peak MiB", "rate", "pairs"),
    )
    what: str
    ours: float | None = None
    theirs: float | None = None
    added: float | None = None
    ratio: float | None = None
    peak: float | None = None
    rate: str = ""
    pairs: int = 1

    def cells(self) -> list[str]:
        """The row as texts for the table."""
        times = (self.ours, self.theirs, self.added)
        return [
            self.what,
            *("" if t is None else f"{t * 1000:.1f}" for t in times),
            "" if self.ratio is None else f"{self.ratio:.3f}",
            "" if self.peak is None else f"{self.peak:.1f}",
            self.rate,
            str(self.pairs),
        ]

    def as_json(self) -> dict[str, Any]:
        """All fields that were measured, by name."""
        return {name: value for name, value in self.__dict__.items() if value not in (None, "")}


@dataclass(frozen=True)
class Command:
    """A command to time. `code`: the exit code that it must have; `hwm`: whether its own peak
    memory is measured too."""

    words: Sequence[str | Path]
    cwd: Path
    env: Mapping[str, str]
    code: int = 0
    prepare: Callable[[], object] = lambda: None
    hwm: bool = False

    def peak(self) -> float | None:
        """Peak memory in MiB, from an extra run that is not timed, because watching a process takes
        time."""
        peaks: list[float] = []
        self.seconds(peaks)
        return max(peaks, default=None)

    def seconds(self, peaks: list[float] | None = None) -> float:
        """Wall time of one run, in seconds; appends its peak memory in MiB to `peaks` if that is
        given."""
        self.prepare()
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in self.words],
            cwd=self.cwd,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        if peaks is not None:
            _watch(process.pid, peaks)
        _, said = process.communicate()
        took = time.perf_counter() - began
        if process.returncode != self.code:
            raise RuntimeError(f"{self.words} ended with {process.returncode}: {said.decode()}")
        return took


def _watch(pid: int, peaks: list[float]) -> None:
    """Appends the peak memory in MiB of one process without its children, as last seen, to
    `peaks`."""
    peak = 0.0
    while True:
        try:
            text = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            break
        if "VmHWM:" not in text:
            break
        peak = int(text.partition("VmHWM:")[2].split()[0]) / 1024
        time.sleep(0.005)
    peaks.append(peak)


def paired(what: str, ours: Command, theirs: Command, runs: int) -> Row:
    """Runs both commands alternately, after one run of each that does not count; the first place
    alternates too."""
    until = time.monotonic() + ENOUGH_SECONDS
    pairs: list[tuple[float, float]] = []
    for command in (ours, theirs):
        command.seconds()
    while len(pairs) < runs and (len(pairs) < 3 or time.monotonic() < until):
        if len(pairs) % 2:
            b, a = theirs.seconds(), ours.seconds()
        else:
            a, b = ours.seconds(), theirs.seconds()
        pairs.append((a, b))
    return Row(
        what,
        ours=statistics.median(a for a, _ in pairs),
        theirs=statistics.median(b for _, b in pairs),
        added=statistics.median(a - b for a, b in pairs),
        ratio=statistics.median(a / b for a, b in pairs),
        peak=ours.peak() if ours.hwm else None,
        pairs=len(pairs),
    )


def peak_of_children(words: Sequence[str | Path], env: Mapping[str, str]) -> tuple[float, float]:
    """Seconds of one run, and the peak memory in MiB of the largest of its processes."""
    began = time.perf_counter()
    pid = os.posix_spawn(
        str(words[0]),
        [str(word) for word in words],
        dict(env),
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"{words} ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024
