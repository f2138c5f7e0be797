"""The environment variables that are settings, and those that are asked before all others."""

from __future__ import annotations

from collections.abc import Mapping

PREFIX = "TFEVENTS_"
METADATA_PREFIX = "TFEVENTS_METADATA_"
"""Before the name of a metadata field: it is said instead of what git and CI say."""
TRUE, FALSE = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")
"""What a switch is set with."""

HARNESS_NAMES = {
    "url": ("HARNESS_API_URL", "HARNESS_ENDPOINT", "HARNESS_URL"),
    "api_key": ("HARNESS_API_KEY", "HARNESS_PLATFORM_API_KEY"),
    "account": ("HARNESS_ACCOUNT_ID", "HARNESS_ACCOUNT"),
    "org": ("HARNESS_ORG_ID", "HARNESS_ORG"),
    "project": ("HARNESS_PROJECT_ID", "HARNESS_PROJECT"),
    # HARNESS_WORKSPACE is a directory (contract: "Inside a Harness pipeline")
    "workspace": ("IACM_WORKSPACE_ID",),
    "ca_bundle": ("SSL_CERT_FILE",),
}
"""Harness' own variables; SSL_CERT_FILE is OpenSSL's."""

LENGTHS = {"account": 128, "org": 128, "project": 128, "workspace": 1024}
"""The longest that the contract takes, in characters."""


def is_disabled(env: Mapping[str, str]) -> bool:
    """Whether TFEVENTS_DISABLED switches reporting off altogether."""
    return env.get("TFEVENTS_DISABLED", "").strip().lower() in TRUE


def find_provisioner(env: Mapping[str, str]) -> str | None:
    """TFEVENTS_PROVISIONER, a name or a path; None where it is empty.

    No settings file names one: it may be anybody's, and none is read before terraform starts.
    """
    return env.get("TFEVENTS_PROVISIONER", "").strip() or None


def read_switch(name: str, env: Mapping[str, str]) -> bool | None:
    """What the variable of `name` says; None where it is not set. A word that is neither on nor off
    switches nothing on: it is told where all settings are read."""
    word = env.get(PREFIX + name.upper(), "").strip()
    return word.lower() in TRUE if word else None


def identifiers(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that say whose a run is; the key is none of them."""
    names = ((f"{PREFIX}{name.upper()}", *HARNESS_NAMES[name]) for name in LENGTHS)
    return {name: env[name] for group in names for name in group if name in env}
