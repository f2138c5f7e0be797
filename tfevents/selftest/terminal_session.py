"""Runs a command in a new pseudo-terminal, and types into it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pexpect

from tfevents.selftest.check import CheckFailed
from tfevents.selftest.commands import COMMAND_SECONDS, REPORT_LINE, CommandResult
from tfevents.selftest.scratch import Project

SIZE = (40, 120)
"""Rows and columns."""
CTRL_C_ECHO = b"^C"
"""The terminal's own echo of Ctrl-C, which may appear anywhere in the child's output."""


class Terminal:
    """A command in a pseudo-terminal, with what a user can do there."""

    def __init__(self, command: Sequence[str | Path], project: Project) -> None:
        self.name, *words = map(str, command)
        self._child = pexpect.spawn(
            self.name,
            words,
            cwd=str(project.directory),
            env={"TERM": "xterm", **project.env},
            dimensions=SIZE,
            timeout=COMMAND_SECONDS,
        )
        self._child.logfile_read = self._printed = io.BytesIO()

    def wait_for(self, text: bytes) -> None:
        """Waits until the command prints `text`. Raises CheckFailed on timeout or at its end."""
        try:
            self._child.expect_exact(text)
        except pexpect.TIMEOUT:
            raise CheckFailed(
                f"{self.name} did not print {text.decode()!r} in {COMMAND_SECONDS} s"
            ) from None
        except pexpect.EOF:
            raise CheckFailed(f"{self.name} ended before it printed {text.decode()!r}") from None

    def type(self, keys: bytes) -> None:
        """Sends keys as a keyboard does; Ctrl-C is a byte too."""
        self._child.send(keys)

    def resize(self, rows: int, columns: int) -> None:
        """Changes the window's size."""
        self._child.setwinsize(rows, columns)

    def wait(self) -> CommandResult:
        """Waits until the command has ended. Raises CheckFailed on timeout.

        The result's `stdout` is what both streams showed, without the line of tfevents.
        """
        try:
            self._child.expect(pexpect.EOF)
        except pexpect.TIMEOUT:
            raise CheckFailed(f"{self.name} did not end within {COMMAND_SECONDS} s") from None
        self._child.close()
        printed = self._printed.getvalue().replace(CTRL_C_ECHO, b"").replace(b"\r\n", b"\n")
        return CommandResult(REPORT_LINE.sub(b"", printed), b"", self._exit_code)

    @property
    def _exit_code(self) -> int:
        """The exit code, or the negative number of the signal that ended the command."""
        child = self._child
        return child.exitstatus or 0 if child.signalstatus is None else -child.signalstatus

    def close(self) -> None:
        """Kills the command if it still runs."""
        self._child.close(force=True)


def run_in_terminal(
    command: Sequence[str | Path],
    project: Project,
    interact: Callable[[Terminal], None] | None = None,
) -> CommandResult:
    """Runs a command in a new terminal to its end; `interact` is called once it has started."""
    terminal = Terminal(command, project)
    try:
        if interact:
            interact(terminal)
        return terminal.wait()
    finally:
        terminal.close()
