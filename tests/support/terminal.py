"""A command in a real terminal: its own session, a controlling pty, and every byte it wrote."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

_CONTROL = re.compile(rb"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9]|[=>])")
LATE_SECONDS = 0.2
"""Seconds: Linux delivers the last bytes of a pty a moment after their writer has ended."""


class Terminal:
    """Runs a command on a pty; leaving its context kills what is left of its session.

    with Terminal(["terraform", "apply"], env=env, cwd=project) as terminal:
        terminal.expect("Enter a value: ")
        terminal.send("yes\\n")
        assert terminal.wait() == 0

    `env` is the whole environment of the child. Sizes are (rows, columns).
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        size: tuple[int, int] = (40, 120),
    ) -> None:
        self.output = b""
        self._seen = 0
        self._open = True
        self._child, self._master = _spawn([str(word) for word in command], dict(env), cwd, size)
        self._pidfd = os.pidfd_open(self.pid)
        os.set_blocking(self._master, False)

    @property
    def pid(self) -> int:
        """The command's process id, which is also its session's and first group's."""
        return self._child.pid

    @property
    def screen(self) -> str:
        """The output as text, without control sequences and carriage returns."""
        return _CONTROL.sub(b"", self.output).replace(b"\r", b"").decode(errors="replace")

    def expect(self, text: str | bytes | re.Pattern[bytes], timeout: float = 30.0) -> bytes:
        """Waits until `text` comes after what was last expected; AssertionError if it does not."""
        wanted, deadline = _pattern(text), time.monotonic() + timeout
        while not (found := wanted.search(self.output, self._seen)):
            if not self._read(deadline) and (self._ended() or time.monotonic() >= deadline):
                rest = self.output[self._seen :].decode(errors="replace")
                raise AssertionError(f"{text!r} did not come; the terminal shows:\n{rest}")
        self._seen = found.end()
        return found[0]

    def _ended(self) -> bool:
        """Whether the command has ended and the terminal is read to its end."""
        return self._child.poll() is not None and not self._read_late()

    def _read_late(self) -> bool:
        """Reads output that is still on its way; returns whether there was any."""
        return self._open and self._read(time.monotonic() + LATE_SECONDS)

    def send(self, text: str | bytes) -> None:
        """Types `text`; a line ends with a newline."""
        keys = memoryview(text.encode() if isinstance(text, str) else text)
        while keys:
            select.select([], [self._master], [], 10)
            keys = keys[os.write(self._master, keys) :]

    def interrupt(self) -> None:
        """Types Ctrl-C."""
        self.send(b"\x03")

    def end_of_input(self) -> None:
        """Types Ctrl-D."""
        self.send(b"\x04")

    def resize(self, rows: int, columns: int) -> None:
        """Changes the size; the foreground processes get SIGWINCH."""
        _set_size(self._master, (rows, columns))

    def hang_up(self) -> None:
        """Closes the terminal: the session gets SIGHUP."""
        if self._open:
            self._open = False
            os.close(self._master)

    def kill(self, number: int) -> None:
        """Sends a signal to the command alone, not to its process group."""
        self._child.send_signal(number)

    def wait(self, timeout: float = 60.0) -> int:
        """Waits for the command's end and reads all output; returns the exit status, negative for a
        signal."""
        deadline = time.monotonic() + timeout
        while (status := self._child.poll()) is None:
            if time.monotonic() >= deadline:
                raise AssertionError(f"still running after {timeout} s; shows:\n{self.screen}")
            self._read(deadline)
        while self._read_late():
            pass
        return status

    def _read(self, deadline: float) -> bool:
        """Reads output, waiting for it until `deadline` or the command's end; returns whether there
        was any."""
        watched = [self._master] if self._open else []
        if self._child.poll() is None:
            watched.append(self._pidfd)
        else:  # it may have ended a moment ago
            deadline = min(deadline, time.monotonic() + LATE_SECONDS)
        if self._master not in _ready(watched, deadline) or not self._open:
            return False
        try:
            chunk = os.read(self._master, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            chunk = b""  # Linux says EIO when the last process has closed the terminal
        self.output += chunk
        if not chunk:
            self.hang_up()
        return bool(chunk)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        kill_session(self.pid)
        self._child.wait()
        self.hang_up()
        os.close(self._pidfd)


def kill_session(leader: int) -> None:
    """Sends SIGKILL to every process of the session that `leader` leads."""
    for pid in session_of(leader):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def session_of(leader: int) -> list[int]:
    """The process IDs of a session, read from /proc (on other systems only the leader's)."""
    if sys.platform != "linux":
        return [leader]
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _session(entry) == leader:
            found.append(int(entry.name))
    return found


def _session(process: Path) -> int | None:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[3])
    except OSError:
        return None


def _pattern(text: str | bytes | re.Pattern[bytes]) -> re.Pattern[bytes]:
    if isinstance(text, re.Pattern):
        return text
    return re.compile(re.escape(text.encode() if isinstance(text, str) else text))


def _ready(descriptors: list[int], deadline: float) -> list[int]:
    wait = max(0.0, deadline - time.monotonic())
    return select.select(descriptors, [], [], wait)[0]


def _set_size(descriptor: int, size: tuple[int, int]) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))


def _spawn(
    command: list[str], env: dict[str, str], cwd: Path | None, size: tuple[int, int]
) -> tuple[subprocess.Popen[bytes], int]:
    """Starts the command in a new terminal, through a small interpreter: forking a process that has
    threads is not safe. Returns the process and the terminal's file descriptor."""
    master, slave = pty.openpty()
    _set_size(slave, size)
    wanted = json.dumps({"command": command, "env": env, "cwd": str(cwd or Path.cwd())})
    child = subprocess.Popen(
        [sys.executable, "-IS", "-c", _BECOME, wanted],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    return child, master


_BECOME = """
import fcntl, json, os, signal, sys, termios
wanted = json.loads(sys.argv[1])
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, ())
try:
    os.chdir(wanted["cwd"])
    os.execvpe(wanted["command"][0], wanted["command"], wanted["env"])
except OSError as error:
    print(f"{wanted['command'][0]}: {error}", file=sys.stderr)
    sys.exit(127)
"""
