"""Who got a signal: we alone, or terraform too.

The terminal's Ctrl-C, `timeout` and a CI's cancel go to the whole process group, where terraform
is as well; `kill PID` reaches us alone and has to be handed on, once. The signal itself does not
tell (`killpg` and `kill` look the same, semantics §4.7 i), so a sentinel in our group reports
what it got: what it got too was the group's.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections import Counter
from collections.abc import Callable
from types import FrameType, TracebackType

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
SENTINEL_SECONDS = 0.05
"""How long the sentinel has to report; a signal of ours must be handed on within 0.1 s."""


class Interrupted(Exception):
    """A signal came while nobody but us was there to take it."""


class Watch:
    """Signals for as long as there is a run; terraform gets each of them exactly once."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self.asking = False
        self.when_idle: Callable[[], None] = lambda: None
        self._child: int | None = None
        self._reports: Counter[int] = Counter()
        self._handlers: dict[int, object] = {}

    def __enter__(self) -> Watch:
        taken = [s for s in FORWARDED if signal.getsignal(s) is not signal.SIG_IGN]
        self._sentinel, self._report, self._life = _start_sentinel(taken)
        self._handlers = {s: signal.signal(s, self._handle) for s in taken}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # as signal() returned it
        os.close(self._life)
        os.waitpid(self._sentinel, 0)
        os.close(self._report)

    @property
    def interrupted(self) -> bool:
        """Whether anybody wanted this run to end."""
        return bool(self.received)

    def run(self, start: Callable[[], int]) -> int:
        """The exit code of the child that `start` starts, negative for the signal it died of.

        Never hurries the child: providers may take minutes to let go of what they hold.
        """
        before = len(self.received)
        self._child = start()
        for number in self.received[before:]:  # came while it was being started
            self._hand_on(number)
        try:
            _, status = os.waitpid(self._child, 0)
        finally:
            self._child = None
        return os.waitstatus_to_exitcode(status)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.received.append(number)
        if self._child is not None:
            self._hand_on(number)
        elif self.asking:
            raise Interrupted
        else:
            self.when_idle()

    def _hand_on(self, number: int) -> None:
        if self._child is not None and not self._reached_group(number):
            with contextlib.suppress(ProcessLookupError):  # it ended by itself just now
                os.kill(self._child, number)

    def _reached_group(self, number: int) -> bool:
        """Whether the sentinel got the signal too (or is gone, which only a signal can do)."""
        if not self._reports[number] and select.select([self._report], [], [], SENTINEL_SECONDS)[0]:
            report = os.read(self._report, 64)
            self._reports.update(report or bytes([number]))
        if not self._reports[number]:
            return _pending(self._sentinel, number)
        self._reports[number] -= 1
        return True


def _start_sentinel(signals: list[signal.Signals]) -> tuple[int, int, int]:
    """(pid, a pipe that its signals are reported on, a pipe whose end is its end)."""
    report, reporting = os.pipe()
    living, life = os.pipe()
    os.set_blocking(reporting, False)
    pid = os.fork()
    if pid == 0:
        try:
            _be_sentinel(signals, living, reporting, [report, life])
        finally:
            os._exit(0)
    os.close(living)
    os.close(reporting)
    return pid, report, life


def _be_sentinel(
    signals: list[signal.Signals], living: int, reporting: int, others: list[int]
) -> None:
    """Reports signals until the run is gone, however it goes; holds nothing of its streams."""
    signal.set_wakeup_fd(reporting, warn_on_full_buffer=False)
    for number in signals:
        signal.signal(number, lambda *_: None)
    for descriptor in (0, 1, 2, *others):
        os.close(descriptor)
    while os.read(living, 1):
        pass


def _pending(pid: int, number: int) -> bool:
    """On a busy machine the sentinel may have a signal and not yet the time to report it."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            masks = [line.split()[1] for line in status if line.startswith(("SigPnd", "ShdPnd"))]
    except OSError:
        return False
    return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)

