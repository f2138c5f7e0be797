"""Forwards each signal to terraform, unless terraform has got the signal itself.

Ctrl-C in the terminal, `timeout` and a cancelled CI job signal the whole process group, which
includes terraform. `kill PID` signals only our process, so that signal has to be forwarded, once.
The signal itself does not show the difference (`killpg` and `kill` look the same to the receiver).
Therefore a probe process in our group reports the signals that it gets: a signal that the probe got
as well was sent to the group.
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
TERMINAL_SIGNALS = (signal.SIGINT, signal.SIGQUIT)
UNUSED_NAMES = ("USR1", "USR2", "ALRM", "VTALRM", "PROF", "XCPU", "IO", "PWR")
IGNORED_BY_GO: tuple[int, ...] = (
    *(getattr(signal, f"SIG{name}") for name in UNUSED_NAMES if hasattr(signal, f"SIG{name}")),
    *range(getattr(signal, "SIGRTMIN", signal.NSIG) + 1, signal.NSIG),
)
"""Signals that terraform ignores, as any Go program does that doesn't ask for them (sigtable in
runtime/sigtab_linux_generic.go), and that would kill a Python program. Schedulers send some of them
as a warning. Not forwarded, as terraform does nothing with them."""
DESCRIPTORS = "/dev/fd"
"""Directory that lists the open file descriptors of the process that reads it; on Linux a link to
/proc/self/fd."""
PROBE_SECONDS = 0.05
"""How long we wait for the probe's report; a signal must be forwarded within 0.1 s."""
REPORT_TTL_SECONDS = 1.0
"""How long a report of the probe waits for our process to get the same signal. Reports expire since
the kernel may merge two signals to us that come at once, so that one report is left over."""


class Interrupted(Exception):
    """A signal came before terraform was started."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class SignalForwarder:
    """Receives signals during a run, and sees to it that the child process gets each exactly once.

    Python's own handlers run late or not at all while the main thread is in a system call, so
    signals are read from the wake-up pipe, which the C handler fills.
    """

    def __init__(self, *, reaps: bool = False) -> None:
        """`reaps`: whether to reap orphaned processes, as PID 1 must; not possible together with
        threads that wait for child processes of their own."""
        self._reaps = reaps
        self.received: list[int] = []
        self.on_signal_without_child: Callable[[], None] = lambda: None
        """Called when a signal comes while there is no child process."""
        self._child: int | None = None
        self._handled: list[int] = []
        self._probe: GroupSignalProbe | None = None

    def __enter__(self) -> SignalForwarder:
        """Installs the handlers and forks the probe; must be called before a thread is started."""
        self._handled = _without_ignored(FORWARDED)
        self._wakeup_read, self._wakeup_write = _make_pipe()
        signal.set_wakeup_fd(self._wakeup_write, warn_on_full_buffer=False)
        _set_handlers(self._handled, self._handle_signal)
        # handlers, for terraform would inherit SIG_IGN; the probe inherits the handlers
        _set_handlers(_without_ignored(IGNORED_BY_GO), _ignore)
        _set_handlers([signal.SIGCHLD], _ignore)  # wakes `wait` by the wake-up pipe
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])  # we may have inherited it
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
        _set_handlers(self._handled, _ignore)  # a later signal must not change the result
        signal.set_wakeup_fd(-1)
        os.close(self._wakeup_read)
        os.close(self._wakeup_write)
        self.end_probe()

    def end_probe(self) -> None:
        """Ends the probe; called when no child process is to be started any more."""
        probe, self._probe = self._probe, None
        if probe is not None:
            probe.end()

    @property
    def interrupted(self) -> bool:
        """Whether a signal that asks the run to end was received."""
        return bool(self.received)

    def start(self, start_child: Callable[[], int]) -> None:
        """Starts a child process with `start_child`, which gives its pid. Raises Interrupted if a
        signal came first, and whatever `start_child` raises."""
        self._take_received()
        if self.received:
            raise Interrupted(self.received[0])
        self._child = start_child()
        self._forward_early(self._child)

    def wait(self) -> int:
        """Waits for the child process; gives its exit code, negative for the signal it died of.

        Never kills the child process: after a signal, providers may take minutes to finish. Raises
        ChildProcessError if no child process was started.
        """
        child = self._child
        if child is None:
            raise ChildProcessError("no child was started")
        try:
            return self._wait(child)
        finally:
            self._child = None
            self._take_received()  # what came since the last look: no handler has taken it

    def _forward_early(self, child: int) -> None:
        """Forwards the signals that came while the child process was being started.

        The child process may have got them already. In that case it is dead, since it had no
        handler yet, and the second signal does no harm.
        """
        self._take_received()
        for number in self.received:
            _send(child, number)
            self._reached_group(number, 0)

    def _wait(self, child: int) -> int:
        poller = select.poll()
        poller.register(self._wakeup_read, select.POLLIN)
        while True:
            ended, status = self._find_ended(child)
            if ended:
                return os.waitstatus_to_exitcode(status)
            poller.poll()
            deadline = time.monotonic() + PROBE_SECONDS
            for number in self._take_received():
                if not self._reached_group(number, deadline):
                    _send(child, number)

    def _reached_group(self, number: int, deadline: float) -> bool:
        return self._probe is not None and self._probe.reached_group(number, deadline)

    def _find_ended(self, child: int) -> tuple[int, int]:
        while self._reaps:
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended in (0, child):
                return ended, status
        return os.waitpid(child, os.WNOHANG)

    def _handle_signal(self, number: int, frame: FrameType | None) -> None:
        """Python's signal handler: calls `on_signal_without_child`, unless there is a child
        process, whose signals `_wait` forwards."""
        if self._child is not None or not self._take_received():
            return
        self.on_signal_without_child()

    def _take_received(self) -> list[int]:
        """The signals that came since the last call; adds them to `received`."""
        numbers = [n for n in _read(self._wakeup_read) if n in self._handled]
        self.received += numbers
        return numbers


class GroupSignalProbe:
    """A child process in our process group that only reports its signals, and ends when we do."""

    def __init__(self, signals: Iterable[int], mask: Iterable[int]) -> None:
        """Forks the probe. The caller has blocked the signals; `mask`: those blocked before."""
        self._report_read, report_write = _make_pipe()
        liveness_read, self._liveness_write = os.pipe()
        self._reported: dict[int, list[float]] = {number: [] for number in signals}
        self._anticipated = dict.fromkeys(self._reported, 0)
        self._pid = os.fork()
        if self._pid == 0:
            try:
                _report_signals(signals, mask, liveness_read, report_write)
            finally:
                os._exit(0)
        os.close(liveness_read)
        os.close(report_write)

    def reached_group(self, number: int, deadline: float) -> bool:
        """Whether the probe got this signal, too. Waits for its report until `deadline`
        (monotonic time)."""
        poller = select.poll()
        poller.register(self._report_read, select.POLLIN)
        while not self._has_report(number):
            left = deadline - time.monotonic()
            if left <= 0 or not poller.poll(1000 * left):
                return self._got_without_report(number)
            if not self._read_reports():
                # the probe was killed; sending terraform a second Ctrl-C could cost the state
                return number in TERMINAL_SIGNALS
        self._reported[number].pop(0)
        return True

    def _has_report(self, number: int) -> bool:
        """Whether there is a report of this signal; drops those that have expired."""
        since = time.monotonic() - REPORT_TTL_SECONDS
        self._reported[number] = [at for at in self._reported[number] if at > since]
        return bool(self._reported[number])

    def _read_reports(self) -> bytes:
        """Reads and records new reports, but drops those that `_got_without_report` has
        anticipated; b"" if there are none or the probe is dead."""
        reports = _read(self._report_read)
        for number in reports:
            if self._anticipated.get(number):
                self._anticipated[number] -= 1
            elif number in self._reported:
                self._reported[number].append(time.monotonic())
        return reports

    def _got_without_report(self, number: int) -> bool:
        """Whether the probe got the signal without a report in time, as on a busy machine."""
        if _is_pending(self._pid, number):
            self._anticipated[number] += 1
            return True
        self._read_reports()  # the report may have come while we looked
        if not self._has_report(number):
            return False
        self._reported[number].pop(0)
        return True

    def end(self) -> None:
        """Kills the probe and reaps it."""
        os.close(self._liveness_write)
        os.close(self._report_read)
        _send(self._pid, signal.SIGKILL)
        with suppress(ChildProcessError):  # already reaped, with the orphans
            os.waitpid(self._pid, 0)


def _report_signals(
    signals: Iterable[int], mask: Iterable[int], liveness_read: int, report_write: int
) -> None:
    """The probe's main function: writes signals to the pipe `report_write` until the other end of
    the pipe `liveness_read` is closed, however our process ends. Closes all other file
    descriptors."""
    signal.set_wakeup_fd(report_write, warn_on_full_buffer=False)
    _set_handlers(signals, _ignore)
    close_all_but(liveness_read, report_write)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    while os.read(liveness_read, 1):
        pass


def close_all_but(*kept: int) -> None:
    """Closes all open file descriptors but `kept`, by listing those that are open: a container may
    allow a billion of them, and old systems can only close one at a time."""
    try:
        numbers = [int(name) for name in os.listdir(DESCRIPTORS)]
    except OSError:
        numbers = list(range(os.sysconf("SC_OPEN_MAX")))
    for number in numbers:
        with suppress(OSError):  # the descriptor that listed them is closed already
            if number not in kept:
                os.close(number)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Does nothing: the wake-up pipe has the signal already."""


def _without_ignored(numbers: Iterable[int]) -> list[int]:
    """Those of the signals that our process does not ignore: it must leave those that it inherited
    as ignored (`nohup`) alone, since terraform is to inherit that, too."""
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


def _set_handlers(
    numbers: Iterable[int], handler: Callable[[int, FrameType | None], None] | signal.Handlers
) -> None:
    for number in numbers:
        signal.signal(number, handler)


def set_default_handlers() -> None:
    """Sets the default actions of the signals that a SignalForwarder handled, in this process or in
    the one that forked it. Signals that were ignored before it stay ignored."""
    signal.set_wakeup_fd(-1)
    _set_handlers(_without_ignored((*FORWARDED, signal.SIGCHLD)), signal.SIG_DFL)


def _send(pid: int, number: int) -> None:
    """Sends a signal to a process, if it has not just ended and does not belong to another user, as
    behind `sudo`."""
    with suppress(ProcessLookupError, PermissionError):
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


def _is_pending(pid: int, number: int) -> bool:
    """Whether a signal is pending for a process; False where there is no /proc, as off Linux."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            masks = [line.split()[1] for line in status if line.startswith(("SigPnd", "ShdPnd"))]
    except OSError:
        return False
    return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)
