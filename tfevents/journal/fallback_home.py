"""Finds the directory of the fallback journal, used if the home directory can't be written."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress

from tfevents.settings.home import make_private

TEMPORARY_DIRECTORIES = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108  # only compared
"""The directories that Python tries before the current one (tempfile.gettempdir)."""


def find_fallback_home(*, make: bool = True) -> str:
    """A directory in the temporary directory that only this user can access.

    `make`: create it if missing. Raises OSError where it is missing or can't be created, belongs
    to another user, or is open to others, and where there is no temporary directory.
    """
    path = os.path.join(_find_temporary_directory(), f"tfevents-{os.getuid()}")
    if make:
        make_private(path)
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(errno.EPERM, "it is not a directory that only you can access", path)
    return path


def _find_temporary_directory() -> str:
    """The temporary directory, but not the current directory, which Python takes as the last
    resort: that is the user's checkout. Raises OSError."""
    found = tempfile.gettempdir()
    if found not in TEMPORARY_DIRECTORIES and os.path.samefile(found, os.curdir):
        raise FileNotFoundError(errno.ENOENT, "no temporary directory can be written to")
    return found


def list_homes(home: str) -> list[str]:
    """The home directories with folders of runs: this one and, if it exists, the fallback home.

    On a full disk, the journal stays in home, but the runs' folders are in the fallback home.
    """
    with suppress(OSError):
        return list(dict.fromkeys([home, find_fallback_home(make=False)]))
    return [home]
