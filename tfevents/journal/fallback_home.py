"""What stands in for home where that can't be written."""

from __future__ import annotations

import errno
import os
import stat
import tempfile

from tfevents.settings.home import make_private


def find_fallback_home(*, make: bool = True) -> str:
    """What stands in for home where that can't be written: a directory of this user's alone.

    Raises OSError where there is none, or somebody else has made it.
    """
    place = os.path.join(tempfile.gettempdir(), f"tfevents-{os.getuid()}")
    if make:
        make_private(place)
    found = os.lstat(place)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(errno.EPERM, "somebody else can write there", place)
    return place
