"""Finds misspelt settings: environment variables that tfevents does not read, but almost would."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from tfevents.settings.environment import METADATA_PREFIX, PREFIX
from tfevents.settings.model import Settings

SIMILAR_PREFIXES = ("TFEVENT", "TF_EVENT")
MIN_SIMILARITY = 0.85
"""The least similarity of two names, at most 1: one or two letters of a name may differ."""
FIELDS_WITHOUT_VARIABLE = frozenset({"sources", "notes"})
VARIABLES_WITHOUT_FIELD = (
    *("ALLOW_HTTP", "API_KEY_FILE", "DISABLED", "PLAN_READER", "PROVISIONER"),
    *("RELAY_DATABASE", "RELAY_SECRET", "RELAY_TOKEN"),
)
"""Settings, without their prefix, that are not fields of Settings."""


def list_variables() -> frozenset[str]:
    """The names of all environment variables that are settings."""
    fields = (
        name.upper() for name in Settings.__struct_fields__ if name not in FIELDS_WITHOUT_VARIABLE
    )
    return frozenset(PREFIX + name for name in (*fields, *VARIABLES_WITHOUT_FIELD))


def find_misspelt(variables: Iterable[str]) -> dict[str, str]:
    """Each misspelt name → the setting that it resembles most. A name that resembles no setting
    is left out: it may belong to another program."""
    names = list_variables()
    found: dict[str, str] = {}
    for name in sorted(variables):
        has_prefix = name.startswith(SIMILAR_PREFIXES) and not name.startswith(METADATA_PREFIX)
        if has_prefix and name not in names:
            matches = get_close_matches(name, names, 1, MIN_SIMILARITY)
            found |= {name: matches[0]} if matches else {}
    return found
