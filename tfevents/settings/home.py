"""The user's own directories: the home directory of tfevents, and that of the configuration."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Mapping


def find_home(env: Mapping[str, str]) -> str:
    """The home directory, which holds the journal: TFEVENTS_HOME, else the platform's default.

    Empty if the user has no home directory (an arbitrary uid in a container).
    """
    if given := env.get("TFEVENTS_HOME", "").strip():
        return os.path.abspath(os.path.expanduser(given))
    if sys.platform == "darwin":
        return _expanded("~/Library/Application Support/tfevents")
    return _expanded(os.path.join(env.get("XDG_STATE_HOME") or "~/.local/state", "tfevents"))


def find_user_file(env: Mapping[str, str]) -> str | None:
    """The path of the user's own file, ~/.config/tfevents/config.hcl; None if there is none."""
    base = env.get("XDG_CONFIG_HOME") or "~/.config"
    path = _expanded(os.path.join(base, "tfevents", "config.hcl"))
    return path if os.path.isfile(path) else None


def make_home(home: str) -> None:
    """Creates the home directory if it is missing, and checks that only this user can write there.

    Raises OSError if it can't be created, is not a directory, belongs to another user, or can be
    written by others.
    """
    make_private(home)
    found = os.lstat(home)
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), home)
    if found.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "its directory belongs to another user", home)
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(errno.EPERM, "others can write to its directory", home)


def make_private(directory: str) -> None:
    """Creates a directory and its missing parents, with mode 0700 whatever the umask is.

    Directories that exist are left as they are. Raises OSError.
    """
    missing = []
    while not os.path.lexists(directory):
        missing.append(directory)
        directory = os.path.dirname(directory)
    for place in reversed(missing):
        try:
            os.mkdir(place, mode=0o700)
        except FileExistsError:
            continue  # created meanwhile; the owner is checked where it matters (make_home)
        os.chmod(place, 0o700)


def create_private(path: str) -> int:
    """Creates a file with mode 0600, whatever the umask is.

    Returns its file descriptor, open for reading and writing. Raises OSError, also if there is
    already a file or a link of this name.
    """
    flags = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR
    file = os.open(path, flags, 0o600)
    os.fchmod(file, 0o600)
    return file


def _expanded(path: str) -> str:
    """`path` with `~` replaced by the user's home directory; empty if the user has none."""
    found = os.path.expanduser(path)
    return "" if found.startswith("~") else found
