"""The closing line of a split destroy, given back.

`terraform destroy` ends with "Destroy complete! Resources: N destroyed." and no outputs; the
apply half of a split one ends with "Apply complete! Resources: 0 added, 0 changed, N destroyed."
and the outputs that are left. Everything before passes through as it comes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import termios
import threading
import tty
from collections.abc import Callable

CLOSING = re.compile(
    rb"^Apply complete! Resources: (?:\d+ imported, )?\d+ added, \d+ changed, (\d+) destroyed"
    rb"(?:, \d+ forgotten)?\.(.*)\n",
    re.MULTILINE,
)
OPENING = b"Apply complete! Resources: "
# What may follow the closing line: the end of its colours, then outputs (views/apply.go).
ENDS = ((b"", b"\nOutputs:\n"), (b"\x1b[0m", b"\x1b[0m\x1b[1m\x1b[32m\nOutputs:\n"))


class Closing:
    """The bytes of one destroy: `feed` gives what can be shown already, `end` the rest."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Holds back from what may be the closing line on, and nothing else."""
        self._held += data
        for line in CLOSING.finditer(self._held):
            if _may_end(self._held[line.end() :]):
                return self._release(line.start())
        return self._release(self._incomplete())

    def _incomplete(self) -> int:
        """Where an unfinished last line begins that may become the closing line."""
        start = self._held.rfind(b"\n") + 1
        line = self._held[start:]
        begins = OPENING.startswith(line) or line.startswith(OPENING)
        return start if begins else len(self._held)

    def _release(self, end: int) -> bytes:
        shown, self._held = self._held[:end], self._held[end:]
        return shown

    def end(self) -> bytes:
        """What was held, said as `terraform destroy` says it: without outputs."""
        held, self._held = self._held, b""
        line = CLOSING.match(held)
        if not line:
            return held
        rest = held[line.end() :]
        reset = b"\x1b[0m" if rest.startswith(b"\x1b[0m") else b""
        return b"Destroy complete! Resources: %s destroyed.%s\n%s" % (line[1], line[2], reset)


def _may_end(rest: bytes) -> bool:
    """Whether `rest` can be all that comes behind the closing line."""
    return any(
        whole.startswith(rest) or rest.startswith(whole)
        for whole in (reset + outputs for reset, outputs in ENDS)
    )


def through(run: Callable[[int], int]) -> int:
    """Runs `run(stdout)` with a stdout of the same kind as ours and gives its bytes on.

    A terminal of the same size where ours is a terminal, else a pipe. Raises OSError where
    neither can be had, before anything was run.
    """
    reading, writing = _open_terminal() if os.isatty(1) else os.pipe()
    thread = threading.Thread(target=_copy, args=(reading,), name="relay", daemon=True)
    try:
        thread.start()
        return run(writing)
    finally:
        os.close(writing)
        thread.join()
        os.close(reading)


def _open_terminal() -> tuple[int, int]:
    reading, writing = pty.openpty()
    tty.setraw(writing)  # the real terminal makes its own line ends
    _copy_size(writing)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGWINCH, lambda *_: _copy_size(writing))
    return reading, writing


def _copy_size(writing: int) -> None:
    with contextlib.suppress(OSError):
        size = fcntl.ioctl(1, termios.TIOCGWINSZ, b"\0" * 8)
        fcntl.ioctl(writing, termios.TIOCSWINSZ, size)


def _copy(reading: int) -> None:
    closing = Closing()
    while data := _read(reading):
        _write(closing.feed(data))
    _write(closing.end())


def _read(descriptor: int) -> bytes:
    """Nothing at the end; a terminal says EIO there."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def _write(data: bytes) -> None:
    """A reader that went away must not cost terraform its own stdout in the middle of a destroy."""
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(1, data) :]
