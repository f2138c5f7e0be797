"""The closing line of a split destroy, given back.

`terraform destroy` ends with "Destroy complete! Resources: N destroyed." and no outputs; the
apply half of a split one ends with "Apply complete! Resources: 0 added, 0 changed, N destroyed."
and the outputs that are left. Everything before passes through as it comes.

The relay is a process of its own: were it a thread, a `kill -9` of tf would take terraform's
stdout away, and with it terraform in the middle of a destroy. It is started as a bare script and
needs nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import sys
import termios
from collections.abc import Callable, Iterator, Mapping

CLOSING = re.compile(
    rb"^Apply complete! Resources: (?:\d+ imported, )?\d+ added, \d+ changed, (\d+) destroyed"
    rb"(?:, \d+ forgotten)?\.(.*)\n",
    re.MULTILINE,
)
OPENING = b"Apply complete! Resources: "
# What may follow the closing line: the end of its colours, then outputs (views/apply.go).
ENDS = ((b"", b"\nOutputs:\n"), (b"\x1b[0m", b"\x1b[0m\x1b[1m\x1b[32m\nOutputs:\n"))

INPUT, OUTPUT, READY = 0, 1, 2
"""The relay's own descriptors: what it gives on, where to, and where it says that it is there."""
GROUP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Closing:
    """The bytes of one destroy: `feed` gives what can be shown already, `end` the rest."""

    def __init__(self) -> None:
        self._held = b""
        self._within = False  # whether the held bytes begin within a line

    def feed(self, data: bytes) -> bytes:
        """Holds back from what may be the closing line on, and nothing else."""
        self._held += data
        for line in CLOSING.finditer(self._held, self._first_line()):
            if _may_end(self._held[line.end() :]):
                return self._release(line.start())
        return self._release(self._incomplete())

    def _first_line(self) -> int:
        """Where the first line begins that is here from its beginning."""
        newline = self._held.find(b"\n") if self._within else -1
        return len(self._held) if self._within and newline < 0 else newline + 1

    def _incomplete(self) -> int:
        """Where an unfinished last line begins that may become the closing line."""
        start = max(self._held.rfind(b"\n") + 1, self._first_line())
        line = self._held[start:]
        begins = OPENING.startswith(line) or line.startswith(OPENING)
        return start if begins else len(self._held)

    def _release(self, end: int) -> bytes:
        shown, self._held = self._held[:end], self._held[end:]
        self._within = not shown.endswith(b"\n") if shown else self._within
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


def through(run: Callable[[Mapping[int, int]], int], env: Mapping[str, str]) -> int:
    """Runs `run(streams)` with a stdout of the same kind as ours, whose bytes are given on.

    A terminal of the same size where ours is a terminal, else a pipe; stderr goes with it where
    it goes to the same place as stdout, or they would overtake each other. As it is where no
    relay can be made.
    """
    with contextlib.ExitStack() as stack:
        try:
            writing = stack.enter_context(_relay(env))
        except OSError:
            return run({})
        return run({1: writing, 2: writing} if os.path.sameopenfile(1, 2) else {1: writing})


@contextlib.contextmanager
def _relay(env: Mapping[str, str]) -> Iterator[int]:
    """Where to write to; all of it is shown when it is left. Raises OSError."""
    reading, writing = _open_terminal() if os.isatty(OUTPUT) else os.pipe()
    try:
        pid = _start(reading, env)
    except OSError:
        os.close(writing)
        raise
    finally:
        os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)
        os.waitpid(pid, 0)


def _open_terminal() -> tuple[int, int]:
    reading, writing = os.openpty()
    import tty

    tty.setraw(writing)  # the real terminal makes its own line ends
    _copy_size(reading)
    return reading, writing


def _copy_size(to: int) -> None:
    with contextlib.suppress(OSError):
        size = fcntl.ioctl(OUTPUT, termios.TIOCGWINSZ, b"\0" * 8)
        fcntl.ioctl(to, termios.TIOCSWINSZ, size)


def _start(reading: int, env: Mapping[str, str]) -> int:
    """The relay's pid, once it is there. It takes no signal of the group's: it ends at the end."""
    ready, readying = os.pipe()
    try:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", __file__],
            env,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, reading, INPUT),
                (os.POSIX_SPAWN_DUP2, OUTPUT, OUTPUT),  # inherited, also where it was closed
                (os.POSIX_SPAWN_DUP2, readying, READY),
            ],
            setsigmask=GROUP,
        )
    finally:
        os.close(readying)
    with open(ready, "rb") as file:
        if file.read(1):
            return pid
    os.waitpid(pid, 0)
    raise OSError("the relay did not start")


def main() -> None:
    """What the relay does, as a process."""
    signal.signal(signal.SIGWINCH, lambda *_: _copy_size(INPUT))
    os.write(READY, b"+")
    os.dup2(OUTPUT, READY)
    closing = Closing()
    while data := _read():
        _write(closing.feed(data))
    _write(closing.end())


def _read() -> bytes:
    """Nothing at the end; a terminal says EIO there."""
    try:
        return os.read(INPUT, 65536)
    except OSError:
        return b""


def _write(data: bytes) -> None:
    """A reader that went away must not cost terraform its own stdout in the middle of a destroy."""
    with contextlib.suppress(OSError):
        while data:
            try:
                data = data[os.write(OUTPUT, data) :]
            except BlockingIOError:  # whoever started us made it so
                select.select([], [OUTPUT], [])


if __name__ == "__main__":
    main()
