"""A command in a terminal of its own, where somebody types."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pexpect

from tfevents.selftest.check import Differs
from tfevents.selftest.commands import OURS, SECONDS, CommandResult
from tfevents.selftest.scratch import Project

SIZE = (40, 120)
"""Rows and columns."""
ECHOED = b"^C"
"""What the terminal itself shows of Ctrl-C, wherever the child's output has got to by then."""


class Terminal:
    """What somebody at a terminal can do."""

    def __init__(self, command: Sequence[str | Path], project: Project) -> None:
        self.name, *words = map(str, command)
        self._child = pexpect.spawn(
            self.name,
            words,
            cwd=str(project.directory),
            env={"TERM": "xterm", **project.env},
            dimensions=SIZE,
            timeout=SECONDS,
        )
        self._child.logfile_read = self._printed = io.BytesIO()

    def wait_for(self, text: bytes) -> None:
        """Until it is printed. Raises Differs where it does not come."""
        try:
            self._child.expect_exact(text)
        except pexpect.TIMEOUT:
            raise Differs(f"{self.name} did not print {text.decode()!r} in {SECONDS} s") from None
        except pexpect.EOF:
            raise Differs(f"{self.name} ended before it printed {text.decode()!r}") from None

    def type(self, keys: bytes) -> None:
        """As from a keyboard: Ctrl-C is a byte, too."""
        self._child.send(keys)

    def resize(self, rows: int, columns: int) -> None:
        """As by the window's corner."""
        self._child.setwinsize(rows, columns)

    def wait(self) -> CommandResult:
        """Until it has ended. What both streams show is `stdout`, without tfevents' line."""
        try:
            self._child.expect(pexpect.EOF)
        except pexpect.TIMEOUT:
            raise Differs(f"{self.name} did not end within {SECONDS} s") from None
        self._child.close()
        printed = self._printed.getvalue().replace(ECHOED, b"").replace(b"\r\n", b"\n")
        return CommandResult(OURS.sub(b"", printed), b"", self._exit_code)

    @property
    def _exit_code(self) -> int:
        """Negative for a signal."""
        child = self._child
        return child.exitstatus or 0 if child.signalstatus is None else -child.signalstatus

    def close(self) -> None:
        """Ends whatever still runs in it."""
        self._child.close(force=True)


def run_in_terminal(
    command: Sequence[str | Path],
    project: Project,
    type_in: Callable[[Terminal], None] | None = None,
) -> CommandResult:
    """`type_in` sits at the terminal while the command runs."""
    terminal = Terminal(command, project)
    try:
        if type_in:
            type_in(terminal)
        return terminal.wait()
    finally:
        terminal.close()
