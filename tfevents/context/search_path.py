"""Where git and infracost are looked for: not in the checkout, whose files may be anybody's."""

from __future__ import annotations

import os
from collections.abc import Mapping


def find_search_path(env: Mapping[str, str]) -> str:
    """PATH without its relative places; the system's own where nothing is left."""
    places = env.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(filter(os.path.isabs, places)) or "/usr/bin:/bin"
