"""Finds the directory of the fallback journal, used if the home directory can't be written."""

from __future__ import annotations

import errno
import os
import stat
import tempfile

from tfevents.settings.home import make_private


def find_fallback_home(*, make: bool = True) -> str:
    """A directory in the temporary directory that only this user can access.

    `make`: create it if missing. Raises OSError where it is missing or can't be created, belongs
    to another user, or is open to others.
    """
    path = os.path.join(tempfile.gettempdir(), f"tfevents-{os.getuid()}")
    if make:
        make_private(path)
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(errno.EPERM, "it is not a directory that only you can access", path)
    return path
