"""The user's own directories: where tfevents keeps what it keeps, and where it is configured."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Mapping


def find_home(env: Mapping[str, str]) -> str:
    """Where the journal is: TFEVENTS_HOME, else the platform's own state directory.

    Empty where there is none at all (an arbitrary uid in a container).
    """
    if given := env.get("TFEVENTS_HOME", "").strip():
        return os.path.abspath(os.path.expanduser(given))
    if sys.platform == "darwin":
        return _expanded("~/Library/Application Support/tfevents")
    return _expanded(os.path.join(env.get("XDG_STATE_HOME") or "~/.local/state", "tfevents"))


def find_user_file(env: Mapping[str, str]) -> str | None:
    """~/.config/tfevents/config.hcl, where there is one."""
    base = env.get("XDG_CONFIG_HOME") or "~/.config"
    path = _expanded(os.path.join(base, "tfevents", "config.hcl"))
    return path if os.path.isfile(path) else None


def make_home(home: str) -> None:
    """Makes home where it is missing; it is only used where it is this user's alone.

    Raises OSError where it can't be made, where it is somebody else's, and where others may write.
    """
    make_private(home)
    found = os.lstat(home)
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), home)
    if found.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "its directory is somebody else's", home)
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(errno.EPERM, "others can write to its directory", home)


def make_private(directory: str) -> None:
    """A directory with everything above it that is missing, 0700 whatever the umask is.

    What is there already stays as it is. Raises OSError.
    """
    missing = []
    while not os.path.lexists(directory):
        missing.append(directory)
        directory = os.path.dirname(directory)
    for place in reversed(missing):
        try:
            os.mkdir(place, mode=0o700)
        except FileExistsError:
            continue  # another run of ours, or somebody who will be found out
        os.chmod(place, 0o700)


def create_private(path: str) -> int:
    """A new file of this user's alone (0600 whatever the umask is), open to be read and written.

    Raises OSError, also where there is one, or a link, already.
    """
    flags = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR
    file = os.open(path, flags, 0o600)
    os.fchmod(file, 0o600)
    return file


def _expanded(path: str) -> str:
    """Nobody's home stays as it is."""
    found = os.path.expanduser(path)
    return "" if found.startswith("~") else found
