"""The settings of a run: where events are sent, and how."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

KEY_FORMAT = "pat.ACCOUNT.ID.SECRET"
QUOTES = "\"'`\u201c\u201d\u2018\u2019"
KEY = r"(?:pat|sat)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"
"""An API key of four segments; the second is its account."""
DEFAULTS = {"url": "https://app.harness.io", "api_path": "/iacm/api", "timeout": "10"}
ARTIFACT_KINDS = ("modules", "providers", "cost_breakdown", "cost_diff", "plan", "state")
"""The kinds of artifacts that the setting `artefacts` can switch on."""


class ApiKey(Struct, frozen=True):
    """An API key. Its string shows the first two segments at most; `secret` is the whole key."""

    secret: str

    def __repr__(self) -> str:
        return f"ApiKey({str(self)!r})"

    def __str__(self) -> str:
        return ".".join([*self.secret.split(".")[:2], "***"]) if self.account else "***"

    @property
    def account(self) -> str | None:
        """The account of a key of four segments; None for any other key."""
        match = re.fullmatch(KEY, self.secret)
        return match[1] if match else None

    @property
    def fault(self) -> str | None:
        """Why this text can't be an API key, and what to do; None if it can be one."""
        text = self.secret
        if text[0] in QUOTES or text[-1] in QUOTES:
            return "the quotes are taken for a part of the key: leave them out"
        if re.match(r"(?i)(bearer|token|x-api-key:?)\s", text):
            return f"{text.split()[0]!r} is no part of a key: leave it out"
        if not re.fullmatch(r"[!-~]+", text):
            return "an API key has no spaces, line ends or other such characters"
        if text.startswith(("pat.", "sat.")) and not self.account:
            return f"this is not the whole of a key, which is {KEY_FORMAT}"
        return None


class Settings(Struct, frozen=True):
    """The settings of a run.

    `timeout`: seconds for everything that is left to do after the run. `sources`: where each field
    was set. `notes`: a line for each settings file that is not used, or not all of it.
    """

    home: str
    url: str = DEFAULTS["url"]
    api_path: str = DEFAULTS["api_path"]
    api_key: ApiKey | None = None
    account: str | None = None
    org: str | None = None
    project: str | None = None
    workspace: str | None = None
    timeout: float = float(DEFAULTS["timeout"])
    ca_bundle: str | None = None
    cost_file: str | None = None
    infracost: bool = False
    artefacts: tuple[str, ...] = ()
    strict: bool = False
    direct: bool = False
    quiet: bool = False
    sources: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()
