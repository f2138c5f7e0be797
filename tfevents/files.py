"""What stands under a name that somebody else may have chosen: opened so that it can neither hang
nor flood us nor lead elsewhere, and only in directories of those who may speak for us."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from typing import BinaryIO

FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
GIT = ".git"
PATH_BYTES = 4096
"""The system takes no longer path (PATH_MAX)."""


def find_path(text: str | None) -> str | None:
    """The text, where it can be a path; None for one that is longer than the system takes."""
    return text if text and len(os.fsencode(text)) <= PATH_BYTES else None


def read_untrusted(path: str, most: int, *, root: str | None = None) -> bytes:
    """A regular file's bytes, at most `most`. With a `root`, no link on the way leads out of it.

    Raises OSError, whose `strerror` says why not.
    """
    with open_untrusted(path, root=root) as file:
        text = file.read(most + 1) if os.fstat(file.fileno()).st_size <= most else None
    if text is None or len(text) > most:
        size = f"{most >> 20} MiB" if most >> 20 else f"{most >> 10} KiB"
        raise OSError(errno.EFBIG, f"it is larger than {size}", path)
    return text


def open_untrusted(path: str, *, root: str | None = None) -> BinaryIO:
    """The same, open for reading: nobody waits for the other end of a FIFO."""
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
    """Whether `path`, with all links followed, is in `root` or below."""
    real, root = os.path.realpath(path), os.path.realpath(root)
    return real == root or real.startswith(os.path.join(root, ""))


def find_root(directory: str, env: Mapping[str, str], *, is_ci: bool) -> str | None:
    """The nearest directory upwards that has a `.git`: a folder, or a file in a worktree.

    None where there is none, or where somebody else's directory is on the way.
    """
    places = find_trusted_directories(directory, env, is_ci=is_ci)
    return places[-1] if places and _is_root(places[-1]) else None


def find_trusted_directories(directory: str, env: Mapping[str, str], *, is_ci: bool) -> list[str]:
    """Where files may speak for a run in `directory`: there, and upwards to the git root.

    Without git only there: what stands above a checkout is somebody else's. Empty where the
    directory itself is somebody else's.
    """
    places = list_ancestors(directory)
    for number, place in enumerate(places):
        if not is_trusted(place, directory, env, is_ci=is_ci):
            return places[: min(number, 1)]
    return places


def list_ancestors(directory: str) -> list[str]:
    """The same, whoever they belong to."""
    place, places = os.path.abspath(directory), [os.path.abspath(directory)]
    while not _is_root(place):
        above = os.path.dirname(place)
        if above == place:
            return places[:1]
        place = above
        places.append(place)
    return places


def is_trusted(place: str, directory: str, env: Mapping[str, str], *, is_ci: bool) -> bool:
    """Whether `place` is ours, root's, or in CI, where others clone for us, of the owner of the
    run's `directory`; never one in which everybody may leave files."""
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
    """Also who has become root by sudo, as git sees it."""
    ours, before = os.geteuid(), env.get("SUDO_UID", "")
    return (ours, int(before)) if ours == 0 and before.isdecimal() else (ours,)


def _is_root(place: str) -> bool:
    return os.path.exists(os.path.join(place, GIT))
