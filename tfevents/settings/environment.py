"""The environment variables that are settings, and those read before all other settings."""

from __future__ import annotations

from collections.abc import Mapping

PREFIX = "TFEVENTS_"
ALLOW_HTTP = "TFEVENTS_ALLOW_HTTP"
"""The variable that allows http:// to another host; no settings file can set it."""
METADATA_PREFIX = "TFEVENTS_METADATA_"
"""The prefix of a variable that sets a metadata field, instead of what git and CI provide."""
TRUE, FALSE = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")
"""The words that switch a boolean setting on, and those that switch it off."""

HARNESS_NAMES = {
    "url": ("HARNESS_API_URL", "HARNESS_ENDPOINT", "HARNESS_URL"),
    "api_key": ("HARNESS_API_KEY", "HARNESS_PLATFORM_API_KEY"),
    "account": ("HARNESS_ACCOUNT_ID", "HARNESS_ACCOUNT"),
    "org": ("HARNESS_ORG_ID", "HARNESS_ORG"),
    "project": ("HARNESS_PROJECT_ID", "HARNESS_PROJECT"),
    # not HARNESS_WORKSPACE, which is a directory (contract: "Inside a Harness pipeline")
    "workspace": ("IACM_WORKSPACE_ID",),
    "ca_bundle": ("SSL_CERT_FILE",),
}
"""Harness' own variables for each setting; SSL_CERT_FILE is OpenSSL's."""

KEY_NAMES = ("TFEVENTS_API_KEY", "TFEVENTS_API_KEY_FILE", *HARNESS_NAMES["api_key"])
"""The variables that give an API key, or the file that holds it."""

MAX_LENGTHS = {"account": 128, "org": 128, "project": 128, "workspace": 1024}
"""The maximum lengths in the contract, in characters."""


def is_disabled(env: Mapping[str, str]) -> bool:
    """Whether TFEVENTS_DISABLED switches reporting off altogether."""
    return read_switch("disabled", env) is True


def find_provisioner(env: Mapping[str, str]) -> str | None:
    """TFEVENTS_PROVISIONER, a name or a path; None if it is empty or not set.

    No settings file can set it: a file may be written by anyone, and none is read before terraform
    starts.
    """
    return env.get("TFEVENTS_PROVISIONER", "").strip() or None


def find_plan_reader(env: Mapping[str, str]) -> str:
    """TFEVENTS_PLAN_READER: `file` or `json` allows only that reader of plans; with any other text
    the file is read, and if that fails, its JSON.

    For comparing the two, and for users who trust only one.
    """
    return env.get("TFEVENTS_PLAN_READER", "")


def read_switch(name: str, env: Mapping[str, str]) -> bool | None:
    """Whether the TFEVENTS_* variable of `name` is on; None if it is not set.

    A word that means neither on nor off counts as off here; load.py reports the error.
    """
    word = env.get(PREFIX + name.upper(), "").strip()
    return word.lower() in TRUE if word else None


def may_have_key(env: Mapping[str, str]) -> bool:
    """Whether an environment variable gives an API key.

    A key that only a settings file gives is found when the settings are read.
    """
    return any(env.get(name) for name in KEY_NAMES)


def identifiers(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that are set and identify the destination; the API key is not among them."""
    names = ((f"{PREFIX}{name.upper()}", *HARNESS_NAMES[name]) for name in MAX_LENGTHS)
    return {name: env[name] for group in names for name in group if name in env}
