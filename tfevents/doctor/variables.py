"""Environment variables that nobody reads, but that are nearly called as a setting is."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from tfevents.settings.environment import METADATA_PREFIX, PREFIX
from tfevents.settings.model import Settings

BEGINNINGS = ("TFEVENT", "TF_EVENT")
NEAR = 0.85
"""How alike two names must be, of 1: one or two letters of a name may be wrong."""
NOT_VARIABLES = frozenset({"budget", "sources", "notes"})
OTHERS = (
    *("ALLOW_HTTP", "API_KEY_FILE", "DISABLED", "PLAN_READER", "PROVISIONER", "TIMEOUT"),
    *("RELAY_DATABASE", "RELAY_SECRET", "RELAY_TOKEN"),
)
"""Variables that are no field of Settings."""


def list_names() -> frozenset[str]:
    """The variables that are settings."""
    fields = (name.upper() for name in Settings.__struct_fields__ if name not in NOT_VARIABLES)
    return frozenset(PREFIX + name for name in (*fields, *OTHERS))


def find_misspelt(variables: Iterable[str]) -> dict[str, str]:
    """The names that are no setting's, and the setting that each is most like; of a name that is
    like none nothing is said: it may be anybody's."""
    names = list_names()
    found: dict[str, str] = {}
    for name in sorted(variables):
        ours = name.startswith(BEGINNINGS) and not name.startswith(METADATA_PREFIX)
        if ours and name not in names:
            near = get_close_matches(name, names, 1, NEAR)
            found |= {name: near[0]} if near else {}
    return found
