"""Who got a signal: we alone, or terraform too.

The terminal's Ctrl-C, `timeout` and a CI's cancel go to the whole process group, where terraform
is as well; `kill PID` reaches us alone and has to be handed on, once. The signal itself does not
tell (`killpg` and `kill` look the same, semantics §4.7 i), so a probe in our group reports what it
got: what it got too was the group's.
"""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType, TracebackType

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
OF_TERMINALS = (signal.SIGINT, signal.SIGQUIT)
DESCRIPTORS = "/dev/fd"
"""The open descriptors of whoever lists it: of Linux a link to /proc/self/fd."""
PROBE_SECONDS = 0.05
"""How long the probe has to report; a signal of ours must be handed on within 0.1 s."""
FRESH_SECONDS = 1.0
"""How long a report waits for its signal: the kernel may merge two that come at once for us."""


class Interrupted(Exception):
    """A signal came while no terraform was there to take it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class SignalForwarder:
    """Signals for as long as there is a run; its child gets each of them exactly once.

    Python's own handlers run late or not at all while the main thread is in a system call, so
    what counts is the wake-up pipe, which the C handler fills.
    """

    def __init__(self, *, reaps: bool = False) -> None:
        """`reaps`: as PID 1, whose children all orphans become; not beside threads that wait."""
        self._reaps = reaps
        self.received: list[int] = []
        self.when_idle: Callable[[], None] = lambda: None
        """Called when a signal comes while there is no child."""
        self._child: int | None = None
        self._handled: list[int] = []
        self._probe: GroupSignalProbe | None = None

    def __enter__(self) -> SignalForwarder:
        """Called before the first thread: the probe is a fork of us."""
        self._handled = [s for s in FORWARDED if signal.getsignal(s) is not signal.SIG_IGN]
        self._arrivals, self._arriving = _make_pipe()
        signal.set_wakeup_fd(self._arriving, warn_on_full_buffer=False)
        _handle(self._handled, self._take_signal)
        _handle([signal.SIGCHLD], _ignore)  # it wakes `wait`
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
        try:
            self._probe = GroupSignalProbe(self._handled, mask)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _handle(self._handled, _ignore)  # our last moment: the result stands
        signal.set_wakeup_fd(-1)
        os.close(self._arrivals)
        os.close(self._arriving)
        self.dismiss()

    def dismiss(self) -> None:
        """No child is to be started any more."""
        probe, self._probe = self._probe, None
        if probe is not None:
            probe.end()

    @property
    def interrupted(self) -> bool:
        """Whether anybody wanted this run to end."""
        return bool(self.received)

    def start(self, start_child: Callable[[], int]) -> None:
        """`start_child` gives the pid of a new child. Raises Interrupted where a signal came first,
        and what `start_child` raises."""
        self._take_arrived()
        if self.received:
            raise Interrupted(self.received[0])
        self._child = start_child()
        self._forward_early(self._child)

    def wait(self) -> int:
        """The child's exit code when it ends, negative for the signal it died of.

        Never hurries the child: providers may take minutes to let go of what they hold.
        """
        child = self._child
        if child is None:
            raise ChildProcessError("no child was started")
        try:
            return self._wait(child)
        finally:
            self._child = None

    def _forward_early(self, child: int) -> None:
        """What came while the child was being started: nobody can tell whether it got it.

        If it did it is dead: it can't have had a handler yet.
        """
        self._take_arrived()
        for number in self.received:
            _send(child, number)
            self._reached_group(number, 0)

    def _wait(self, child: int) -> int:
        arrivals = select.poll()
        arrivals.register(self._arrivals, select.POLLIN)
        while True:
            ended, status = self._find_ended(child)
            if ended:
                return os.waitstatus_to_exitcode(status)
            arrivals.poll()
            until = time.monotonic() + PROBE_SECONDS
            for number in self._take_arrived():
                if not self._reached_group(number, until):
                    _send(child, number)

    def _reached_group(self, number: int, until: float) -> bool:
        return self._probe is not None and self._probe.reached_group(number, until)

    def _find_ended(self, child: int) -> tuple[int, int]:
        while self._reaps:
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended in (0, child):
                return ended, status
        return os.waitpid(child, os.WNOHANG)

    def _take_signal(self, number: int, frame: FrameType | None) -> None:
        """Python's handler: while a child runs, `_wait` sees to it."""
        if self._child is not None or not self._take_arrived():
            return
        self.when_idle()

    def _take_arrived(self) -> list[int]:
        """The signals that came since the last time."""
        numbers = [n for n in _read(self._arrivals) if n in self._handled]
        self.received += numbers
        return numbers


class GroupSignalProbe:
    """A child in our group that does nothing but report the signals it gets; gone when we are."""

    def __init__(self, signals: Iterable[int], mask: Iterable[int]) -> None:
        """Called with the signals blocked; `mask` is what was blocked before."""
        self._reports, reporting = _make_pipe()
        living, self._life = os.pipe()
        self._reported: dict[int, list[float]] = {number: [] for number in signals}
        self._late = dict.fromkeys(self._reported, 0)
        self._pid = os.fork()
        if self._pid == 0:
            try:
                _report_signals(signals, mask, living, reporting)
            finally:
                os._exit(0)
        os.close(living)
        os.close(reporting)

    def reached_group(self, number: int, until: float) -> bool:
        """Whether it got this signal too, as far as can be told by then."""
        reports = select.poll()
        reports.register(self._reports, select.POLLIN)
        while not self._is_fresh(number):
            left = until - time.monotonic()
            if left <= 0 or not reports.poll(1000 * left):
                return self._not_yet_reported(number)
            if not self._read_reports():
                return number in OF_TERMINALS  # it was killed; a second Ctrl-C costs the state
        self._reported[number].pop(0)
        return True

    def _is_fresh(self, number: int) -> bool:
        since = time.monotonic() - FRESH_SECONDS
        self._reported[number] = [at for at in self._reported[number] if at > since]
        return bool(self._reported[number])

    def _read_reports(self) -> bytes:
        reports = _read(self._reports)
        for number in reports:
            if self._late.get(number):
                self._late[number] -= 1
            elif number in self._reported:
                self._reported[number].append(time.monotonic())
        return reports

    def _not_yet_reported(self, number: int) -> bool:
        """On a busy machine it may have a signal and not yet the time to say so."""
        if _pending(self._pid, number):
            self._late[number] += 1
            return True
        self._read_reports()  # it may have said so while we looked
        if not self._is_fresh(number):
            return False
        self._reported[number].pop(0)
        return True

    def end(self) -> None:
        """Gone, whatever state it is in."""
        os.close(self._life)
        os.close(self._reports)
        _send(self._pid, signal.SIGKILL)
        with suppress(ChildProcessError):  # reaped with the orphans
            os.waitpid(self._pid, 0)


def _report_signals(
    signals: Iterable[int], mask: Iterable[int], living: int, reporting: int
) -> None:
    """Reports signals until the run is gone, however it goes; holds nothing of its files."""
    signal.set_wakeup_fd(reporting, warn_on_full_buffer=False)
    _handle(signals, _ignore)
    _close_all_but(living, reporting)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    while os.read(living, 1):
        pass


def _close_all_but(*kept: int) -> None:
    """By name: a container may allow a billion descriptors, and old systems close one by one."""
    try:
        numbers = [int(name) for name in os.listdir(DESCRIPTORS)]
    except OSError:
        numbers = list(range(os.sysconf("SC_OPEN_MAX")))
    for number in numbers:
        with suppress(OSError):  # what listed them is closed already
            if number not in kept:
                os.close(number)


def _ignore(number: int, frame: FrameType | None) -> None:
    """The wake-up pipe has it already."""


def _handle(numbers: Iterable[int], handler: Callable[[int, FrameType | None], None]) -> None:
    for number in numbers:
        signal.signal(number, handler)


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):  # it ended by itself just now
        os.kill(pid, number)


def _make_pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    return reading, writing


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except BlockingIOError:
        return b""


def _pending(pid: int, number: int) -> bool:
    """Whether a process has a signal that it did not take yet; only Linux tells."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            masks = [line.split()[1] for line in status if line.startswith(("SigPnd", "ShdPnd"))]
    except OSError:
        return False
    return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)
