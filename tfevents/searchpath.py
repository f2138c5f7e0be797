"""PATH for questions of our own: what it names is the same wherever we stand."""

from __future__ import annotations

import os
from collections.abc import Mapping


def absolute_path(env: Mapping[str, str]) -> str:
    """PATH without its relative places: in a checkout those are somebody else's."""
    places = env.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(filter(os.path.isabs, places)) or "/usr/bin:/bin"
