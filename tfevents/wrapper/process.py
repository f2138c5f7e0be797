"""Replaces this process by the provisioner, starts the provisioner, and ends as it has ended."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from tfevents.errors import to_shell_status
from tfevents.terraform.binary import NotExecutable, inherited_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

attempts = 0
"""How often this process has tried to run a provisioner: after an attempt no fallback may run."""
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that Python ignores; terraform must not inherit that."""


def exec_provisioner(path: str, arguments: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Replaces this process by the provisioner at `path` (execve), so that tfevents uses no memory
    any more. Raises NotExecutable."""
    global attempts  # noqa: PLW0603  # whether terraform was started is a fact of the process
    inherited = inherited_environment(env, path)
    for number in IGNORED_BY_PYTHON:
        signal.signal(number, signal.SIG_DFL)
    attempts += 1
    try:
        os.execve(path, [os.path.basename(path), *arguments], inherited)
    except OSError as error:
        raise NotExecutable(error.errno, error.strerror, path) from None


def start(path: str, arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Starts the provisioner at `path` as a child process in our terminal; gives its pid.

    Raises NotExecutable.
    """
    global attempts  # noqa: PLW0603  # see exec_provisioner()
    inherited = inherited_environment(env, path)
    words = [os.path.basename(path), *arguments]
    attempts += 1
    try:
        return os.posix_spawn(path, words, inherited, setsigdef=IGNORED_BY_PYTHON)
    except OSError as error:
        raise NotExecutable(error.errno, error.strerror, path) from None


def end_as(exit_code: int) -> int:
    """Gives the code to exit with. If the provisioner died of a signal (negative `exit_code`), this
    process sends itself the same signal, so that a shell sees 128 + n."""
    if exit_code < 0:
        _kill_self(-exit_code)
    return to_shell_status(exit_code)


def _kill_self(number: int) -> None:
    import resource

    with suppress(OSError, ValueError):  # no core file of ours: terraform's is the useful one
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with suppress(OSError, ValueError):  # SIGKILL can't have a handler
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
