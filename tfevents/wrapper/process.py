"""The provisioner's process: becoming it, starting it, and ending as it ended."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from tfevents.terraform.binary import NotExecutable, inherited_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

attempts = 0
"""How often a provisioner was to be run: after the first nothing may be run in its place."""
IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)
"""By Python; terraform must not ignore them."""


def become(path: str, arguments: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Terraform in our place: nothing of us stays in memory. Raises NotExecutable."""
    global attempts  # noqa: PLW0603  # it is the process that has started terraform or has not
    inherited = inherited_environment(env, path)
    for number in IGNORED:
        signal.signal(number, signal.SIG_DFL)
    attempts += 1
    try:
        os.execve(path, [os.path.basename(path), *arguments], inherited)
    except OSError as error:
        raise NotExecutable(error.errno, error.strerror, path) from None


def start(path: str, arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """The pid of the child, which has our terminal. Raises NotExecutable."""
    global attempts  # noqa: PLW0603  # see become()
    inherited = inherited_environment(env, path)
    words = [os.path.basename(path), *arguments]
    attempts += 1
    try:
        return os.posix_spawn(path, words, inherited, setsigdef=IGNORED)
    except OSError as error:
        raise NotExecutable(error.errno, error.strerror, path) from None


def end_as(exit_code: int) -> int:
    """The code to exit with; a death by signal is died again, so that a shell sees 128 + n."""
    if exit_code < 0:
        _die(-exit_code)
    return exit_code if exit_code >= 0 else 128 - exit_code


def _die(number: int) -> None:
    import resource

    with suppress(OSError, ValueError):  # terraform's core file is the one to look at
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with suppress(OSError, ValueError):  # SIGKILL takes no handler
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
