"""The user's own directories: where tfevents keeps what it keeps, and where it is configured."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
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


def _expanded(path: str) -> str:
    """Nobody's home stays as it is."""
    found = os.path.expanduser(path)
    return "" if found.startswith("~") else found
