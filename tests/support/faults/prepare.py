"""A program: changes its own process as the first argument says, then executes the command that
follows."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable


def close(first: int, last: int) -> Callable[[], None]:
    """A function that closes a range of file descriptors."""
    return lambda: os.closerange(first, last + 1)


def fill(number: int) -> Callable[[], object]:
    """A function that makes every write to a file descriptor fail, as on a full disk."""
    return lambda: os.dup2(os.open("/dev/full", os.O_WRONLY), number)


def limit(what: int, number: int) -> Callable[[], None]:
    """A function that sets a resource limit."""
    return lambda: resource.setrlimit(what, (number, number))


def leave_directory() -> None:
    """Changes to a directory that does not exist any more."""
    os.mkdir("gone")
    os.chdir("gone")
    os.rmdir(os.path.join("..", "gone"))


PREPARED: dict[str, Callable[[], object]] = {
    "stdin is closed": close(0, 0),
    "stdout is closed": close(1, 1),
    "stderr is closed": close(2, 2),
    "all three are closed": close(0, 2),
    "stdout is full": fill(1),
    "stderr is full": fill(2),
    "umask 0": lambda: os.umask(0),
    "umask 777": lambda: os.umask(0o777),
    "40 descriptors": limit(resource.RLIMIT_NOFILE, 40),
    "nice 19": lambda: os.nice(19),
    "the directory is gone": leave_directory,
}

if __name__ == "__main__":
    PREPARED[sys.argv[1]]()
    os.execv(sys.argv[2], sys.argv[2:])
