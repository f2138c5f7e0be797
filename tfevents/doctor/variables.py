"""Finds misspelt settings: environment variables that tfevents does not read, but almost would."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from tfevents.settings.environment import METADATA_PREFIX, PREFIX
from tfevents.settings.model import Settings

BEGINNINGS = ("TFEVENT", "TF_EVENT")
NEAR = 0.85
"""The least similarity of two names, at most 1: one or two letters of a name may differ."""
NOT_VARIABLES = frozenset({"budget", "sources", "notes"})
OTHERS = (
    *("ALLOW_HTTP", "API_KEY_FILE", "DISABLED", "PLAN_READER", "PROVISIONER", "TIMEOUT"),
    *("RELAY_DATABASE", "RELAY_SECRET", "RELAY_TOKEN"),
)
"""Settings, without their prefix, that are not fields of Settings."""


def list_names() -> frozenset[str]:
    """The names of all environment variables that are settings."""
    fields = (name.upper() for name in Settings.__struct_fields__ if name not in NOT_VARIABLES)
    return frozenset(PREFIX + name for name in (*fields, *OTHERS))


def find_misspelt(variables: Iterable[str]) -> dict[str, str]:
    """Each misspelt name → the setting that it resembles most. A name that resembles no setting
    is left out: it may belong to another program."""
    names = list_names()
    found: dict[str, str] = {}
    for name in sorted(variables):
        ours = name.startswith(BEGINNINGS) and not name.startswith(METADATA_PREFIX)
        if ours and name not in names:
            near = get_close_matches(name, names, 1, NEAR)
            found |= {name: near[0]} if near else {}
    return found
