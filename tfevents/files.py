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


def read_untrusted(path: str, max_bytes: int, *, root: str | None = None) -> bytes:
    """The bytes of a regular file.

    `root`: a directory out of which no link in the path may lead. Raises OSError, whose `strerror`
    gives the reason, also for a file of more than `max_bytes`.
    """
    with open_untrusted(path, root=root) as file:
        data = file.read(max_bytes + 1) if os.fstat(file.fileno()).st_size <= max_bytes else None
    if data is None or len(data) > max_bytes:
        size = f"{max_bytes >> 20} MiB" if max_bytes >> 20 else f"{max_bytes >> 10} KiB"
        raise OSError(errno.EFBIG, f"it is larger than {size}", path)
    return data


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
    directories = find_trusted_directories(directory, env, is_ci=is_ci)
    return directories[-1] if directories and _has_git(directories[-1]) else None


def find_trusted_directories(directory: str, env: Mapping[str, str], *, is_ci: bool) -> list[str]:
    """The directories whose settings files apply to a run in `directory`, nearest first.

    These are `directory` and its parents up to the git root. Only `directory` outside of a
    checkout, or if one of the parents is not trusted. Empty if `directory` is not trusted.
    """
    ancestors = list_ancestors(directory)
    for number, ancestor in enumerate(ancestors):
        if not is_trusted(ancestor, directory, env, is_ci=is_ci):
            return ancestors[: min(number, 1)]
    return ancestors


def list_ancestors(directory: str) -> list[str]:
    """As `find_trusted_directories`, but whether the directories are trusted or not."""
    ancestor = os.path.realpath(directory)
    ancestors = [ancestor]
    while not _has_git(ancestor):
        parent = os.path.dirname(ancestor)
        if parent == ancestor:
            return ancestors[:1]
        ancestor = parent
        ancestors.append(ancestor)
    return ancestors


def is_trusted(path: str, directory: str, env: Mapping[str, str], *, is_ci: bool) -> bool:
    """Whether the directory `path` belongs to the current user or to root.

    In CI, where another user may have made the checkout, also to the owner of the run's
    `directory`. Never for a directory with the sticky bit, in which everybody may create files.
    """
    try:
        status = os.stat(path)
        if status.st_mode & stat.S_ISVTX:
            return False
        if status.st_uid in (0, *_list_current_user_ids(env)):
            return True
        return is_ci and status.st_uid == os.stat(directory).st_uid
    except (OSError, ValueError):
        return False


def _list_current_user_ids(env: Mapping[str, str]) -> tuple[int, ...]:
    """The current user's id; under sudo also that of the user who called it, as git does."""
    user, sudo_user = os.geteuid(), env.get("SUDO_UID", "")
    return (user, int(sudo_user)) if user == 0 and sudo_user.isdecimal() else (user,)


def _has_git(directory: str) -> bool:
    return os.path.exists(os.path.join(directory, GIT))
