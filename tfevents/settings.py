"""Where events go and how: one frozen Settings, read once at the edge, field by field.

First found wins: flag, TFEVENTS_*, PLUGIN_* (in the container), Harness' own variables,
.tfevents.hcl, ~/.config/tfevents/config.hcl, default (design §2).
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tfevents.errors import SettingError
from tfevents.projectfile import Values, find_values

KEY = re.compile(r"(?:pat|sat)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
TRUE, FALSE = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")

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

DEFAULTS = {"url": "https://app.harness.io", "api_path": "/iacm/api", "timeout": "10"}
LENGTHS = {"account": 128, "org": 128, "project": 128, "workspace": 1024}
"""The longest that the contract takes, in characters."""


@dataclass(frozen=True)
class Key:
    """An API key: it shows its first two segments, and itself only to who asks for `secret`."""

    secret: str = field(repr=False)

    def __str__(self) -> str:
        return ".".join([*self.secret.split(".")[:2], "***"]) if self.account else "***"

    @property
    def account(self) -> str | None:
        """The account it belongs to; only a key of four segments names one."""
        match = KEY.fullmatch(self.secret)
        return match[1] if match else None


@dataclass(frozen=True)
class Settings:
    """What was set. `sources`: where each field came from. `budget`: seconds after the run."""

    home: str
    url: str = DEFAULTS["url"]
    api_path: str = DEFAULTS["api_path"]
    api_key: Key | None = None
    account: str | None = None
    org: str | None = None
    project: str | None = None
    workspace: str | None = None
    budget: float = 10.0
    ca_bundle: str | None = None
    cost_file: str | None = None
    strict: bool = False
    direct: bool = False
    quiet: bool = False
    sources: Mapping[str, str] = field(default_factory=dict)


def find_home(env: Mapping[str, str]) -> str:
    """Where the journal is: TFEVENTS_HOME, else the platform's state directory.

    Relative only where there is no home at all (an arbitrary uid in a container).
    """
    if given := env.get("TFEVENTS_HOME", "").strip():
        return os.path.abspath(os.path.expanduser(given))
    import platformdirs

    return platformdirs.user_state_dir("tfevents", appauthor=False)


def load(
    env: Mapping[str, str],
    directory: str,
    *,
    tf_workspace: str = "default",
    flags: Mapping[str, str | None] | None = None,
    container: bool = False,
) -> Settings:
    """The settings of a run in `directory`. Raises SettingError: one line, where and what to do."""
    home = find_home(env)
    found = _Found(env, flags or {}, find_values(env, directory, tf_workspace, home), container)
    key = _key(found)
    return Settings(
        home=home,
        url=_url(found, env),
        api_path="/" + found.text("api_path", DEFAULTS["api_path"]).strip("/"),
        api_key=key,
        account=_bounded(found, "account") or (key.account if key else None),
        org=_bounded(found, "org"),
        project=_bounded(found, "project"),
        workspace=_bounded(found, "workspace"),
        budget=_seconds(found),
        ca_bundle=_file(found, "ca_bundle"),
        cost_file=found.text("cost_file") or None,
        strict=found.on("strict"),
        direct=found.on("direct"),
        quiet=found.on("quiet"),
        sources=dict(found.sources),
    )


class _Found:
    """One field after the other, remembering where each came from."""

    def __init__(
        self,
        env: Mapping[str, str],
        flags: Mapping[str, str | None],
        files: Values,
        container: bool,
    ) -> None:
        self._env, self._flags, self._files, self._container = env, flags, files, container
        self.sources: dict[str, str] = {}

    def text(self, name: str, default: str = "") -> str:
        """A field's text; an empty one is not set."""
        for source, value in self._places(name):
            if value and value.strip():
                self.sources[name] = source
                return value.strip()
        self.sources[name] = "default"
        return default

    def _places(self, name: str) -> Iterator[tuple[str, str | None]]:
        yield "--" + name.replace("_", "-"), self._flags.get(name)
        yield from self._variables(name)
        yield self._files.source(name), self._files.get(name)

    def _variables(self, name: str) -> Iterator[tuple[str, str | None]]:
        upper = name.upper()
        plugin = (f"PLUGIN_{upper}", f"PLUGIN_TFEVENTS_{upper}") if self._container else ()
        for variable in (f"TFEVENTS_{upper}", *plugin, *HARNESS_NAMES.get(name, ())):
            yield variable, self._env.get(variable)

    def on(self, name: str) -> bool:
        """A switch. Raises SettingError for a word that is neither on nor off."""
        word = self.text(name).lower()
        if word not in TRUE + FALSE:
            raise self.error(name, f"{word[:20]!r} is neither on nor off: use 1 or 0")
        return word in TRUE

    def error(self, name: str, what: str) -> SettingError:
        """`name` is wrong: says where it was set."""
        return SettingError(f"{self.sources[name]}: {what}")


def _key(found: _Found) -> Key | None:
    text = found.text("api_key")
    if not text and (path := found.text("api_key_file")):
        text = _read_key(found, path)
    if any(ord(character) < 33 or ord(character) > 126 for character in text):
        raise found.error("api_key", "an API key has no spaces, line ends or other such characters")
    return Key(text) if text else None


def _read_key(found: _Found, path: str) -> str:
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            return file.read(4096).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise found.error("api_key_file", f"can't read the key file {path}: {reason}") from None


def _url(found: _Found, env: Mapping[str, str]) -> str:
    text = found.text("url", DEFAULTS["url"]).rstrip("/")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise found.error("url", "this is no URL of a server: it looks like https://app.harness.io")
    if parts.username or parts.password:
        raise found.error("url", "a URL with a user or password: the key goes to TFEVENTS_API_KEY")
    allowed = env.get("TFEVENTS_ALLOW_HTTP", "").lower() in TRUE
    if parts.scheme == "http" and not (allowed or _loopback(host)):
        raise found.error("url", "http:// shows the key: use https:// or TFEVENTS_ALLOW_HTTP=1")
    return text


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bounded(found: _Found, name: str) -> str | None:
    text = found.text(name)
    if len(text) > LENGTHS[name] or not text.isprintable():
        raise found.error(name, f"1 to {LENGTHS[name]} printable characters, please")
    return text or None


def _seconds(found: _Found) -> float:
    text = found.text("timeout", DEFAULTS["timeout"])
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 3600:
        raise found.error("timeout", f"{text[:20]!r} is no number of seconds from 0 to 3600")
    return seconds


def _file(found: _Found, name: str) -> str | None:
    path = os.path.expanduser(found.text(name))
    if path and not os.access(path, os.R_OK):
        raise found.error(name, f"can't read {path}")
    return path or None
