"""Opens files whose paths or contents others control, and says which directories are trusted.

Opening never blocks, reading has a size limit, and links may be confined to a root directory.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from typing import BinaryIO

FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
GIT = ".git"
PATH_BYTES = 4096
"""The longest path that the system accepts (PATH_MAX)."""


def find_path(text: str | None) -> str | None:
    """The text if it can be a path; None if it is empty or longer than PATH_BYTES."""
    return text if text and len(os.fsencode(text)) <= PATH_BYTES else None


def read_untrusted(path: str, most: int, *, root: str | None = None) -> bytes:
    """The bytes of a regular file.

    `root`: a directory out of which no link in the path may lead. Raises OSError, whose `strerror`
    gives the reason, also for a file of more than `most` bytes.
    """
    with open_untrusted(path, root=root) as file:
        text = file.read(most + 1) if os.fstat(file.fileno()).st_size <= most else None
    if text is None or len(text) > most:
        size = f"{most >> 20} MiB" if most >> 20 else f"{most >> 10} KiB"
        raise OSError(errno.EFBIG, f"it is larger than {size}", path)
    return text


def open_untrusted(path: str, *, root: str | None = None) -> BinaryIO:
    """A regular file, opened for reading; never blocks on a FIFO. Errors as in `read_untrusted`."""
    if "\0" in path:
        raise OSError(errno.EINVAL, "this is no path", path)
    if root is not None and not is_inside(path, root):
        raise OSError(errno.ELOOP, f"a link leads out of {root}", path)
    handle = os.open(path, FLAGS)
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return open(handle, "rb")
    os.close(handle)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    raise OSError(errno.EINVAL, "it is no regular file", path)


def is_inside(path: str, root: str) -> bool:
    """Whether `path`, with all links resolved, is `root` or below it."""
    real, root = os.path.realpath(path), os.path.realpath(root)
    return real == root or real.startswith(os.path.join(root, ""))


def find_root(directory: str, env: Mapping[str, str], *, is_ci: bool) -> str | None:
    """The git root: `directory` or its nearest parent with a `.git` (in a worktree, a file).

    None if there is none, or if a directory from `directory` up to it is not trusted.
    """
    places = find_trusted_directories(directory, env, is_ci=is_ci)
    return places[-1] if places and _is_root(places[-1]) else None


def find_trusted_directories(directory: str, env: Mapping[str, str], *, is_ci: bool) -> list[str]:
    """The directories whose settings files apply to a run in `directory`, nearest first.

    These are `directory` and its parents up to the git root. Only `directory` outside of a
    checkout, or if one of the parents is not trusted. Empty if `directory` is not trusted.
    """
    places = list_ancestors(directory)
    for number, place in enumerate(places):
        if not is_trusted(place, directory, env, is_ci=is_ci):
            return places[: min(number, 1)]
    return places


def list_ancestors(directory: str) -> list[str]:
    """As `find_trusted_directories`, but whether the directories are trusted or not."""
    place, places = os.path.abspath(directory), [os.path.abspath(directory)]
    while not _is_root(place):
        above = os.path.dirname(place)
        if above == place:
            return places[:1]
        place = above
        places.append(place)
    return places


def is_trusted(place: str, directory: str, env: Mapping[str, str], *, is_ci: bool) -> bool:
    """Whether the directory `place` belongs to the current user or to root.

    In CI, where another user may have made the checkout, also to the owner of the run's
    `directory`. Never for a directory with the sticky bit, in which everybody may create files.
    """
    try:
        found = os.stat(place)
        if found.st_mode & stat.S_ISVTX:
            return False
        if found.st_uid in (0, *_ourselves(env)):
            return True
        return is_ci and found.st_uid == os.stat(directory).st_uid
    except (OSError, ValueError):
        return False


def _ourselves(env: Mapping[str, str]) -> tuple[int, ...]:
    """The current user's id; under sudo also that of the user who called it, as git does."""
    ours, before = os.geteuid(), env.get("SUDO_UID", "")
    return (ours, int(before)) if ours == 0 and before.isdecimal() else (ours,)


def _is_root(place: str) -> bool:
    return os.path.exists(os.path.join(place, GIT))
