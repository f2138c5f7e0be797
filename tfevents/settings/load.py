"""Where events go and how: one frozen Settings, read once at the edge, field by field.

First found wins: flag, TFEVENTS_*, PLUGIN_* (in the container), Harness' own variables,
.tfevents.hcl, .harness/workspace.yaml (of both only what a checkout may say),
~/.config/tfevents/config.hcl, default (design §2).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from msgspec import Struct

from tfevents import files as untrusted
from tfevents.errors import SettingError
from tfevents.settings import url as address
from tfevents.settings.environment import FALSE, HARNESS_NAMES, LENGTHS, PREFIX, TRUE
from tfevents.settings.file_format import Field
from tfevents.settings.files import File, Values, find_users, find_values
from tfevents.settings.home import find_home

T = TypeVar("T")

KEY = r"(?:pat|sat)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"
DEFAULTS = {"url": "https://app.harness.io", "api_path": "/iacm/api", "timeout": "10"}
ARTEFACTS = ("modules", "providers", "cost_breakdown", "cost_diff", "plan", "state")
ODD = r"[^!-~]|[?#\\]"
"""What has no place in the address of a server, nor in a path on it."""
LAST = 99
"""The level of a default: below all places."""


class Key(Struct, frozen=True):
    """An API key: it shows its first two segments, and itself only to who asks for `secret`."""

    secret: str

    def __repr__(self) -> str:
        return f"Key({str(self)!r})"

    def __str__(self) -> str:
        return ".".join([*self.secret.split(".")[:2], "***"]) if self.account else "***"

    @property
    def account(self) -> str | None:
        """The account it belongs to; only a key of four segments names one."""
        match = re.fullmatch(KEY, self.secret)
        return match[1] if match else None


class Settings(Struct, frozen=True):
    """What was set. `sources`: where each field came from. `budget`: seconds after the run.

    `notes`: a line for each settings file that says more than it may; that is not used.
    """

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
    infracost: bool = False
    artefacts: tuple[str, ...] = ()
    strict: bool = False
    direct: bool = False
    quiet: bool = False
    sources: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()


def load(
    env: Mapping[str, str],
    directory: str,
    *,
    tf_workspace: str = "default",
    flags: Mapping[str, str | None] | None = None,
    container: bool = False,
) -> Settings:
    """The settings of a run in `directory`. Raises SettingError: one line, where and what to do."""
    settings, errors = gather(
        env, directory, tf_workspace=tf_workspace, flags=flags, container=container
    )
    if errors:
        raise errors[0]
    return settings


def gather(
    env: Mapping[str, str],
    directory: str,
    *,
    tf_workspace: str = "default",
    flags: Mapping[str, str | None] | None = None,
    container: bool = False,
) -> tuple[Settings, list[SettingError]]:
    """The same, with what is wrong beside it: a field that can't be used is as if not set.

    Nothing may be sent on half a setting, but whose event it is must not be forgotten, nor that
    the run is a strict one.
    """
    files = find_values(env, directory, tf_workspace)
    wrong = [*files.wrong]
    found = _Found(env, flags or {}, files, container)
    url = _or(wrong, lambda: _url(found, env), DEFAULTS["url"])
    key = _or(wrong, lambda: _key(found), None)
    settings = Settings(
        home=find_home(env),
        url=url,
        api_path=_or(wrong, lambda: _api_path(found), DEFAULTS["api_path"]),
        api_key=_or(wrong, lambda: _must_go_together(found, key, url), None),
        account=_or(wrong, lambda: _bounded(found, "account"), None)
        or (key.account if key else None),
        org=_or(wrong, lambda: _bounded(found, "org"), None),
        project=_or(wrong, lambda: _bounded(found, "project"), None),
        workspace=_or(wrong, lambda: _bounded(found, "workspace"), None),
        budget=_or(wrong, lambda: _seconds(found), float(DEFAULTS["timeout"])),
        ca_bundle=_or(wrong, lambda: _file(found, "ca_bundle"), None),
        cost_file=_or(wrong, lambda: _cost_file(found), None),
        infracost=_or(wrong, lambda: found.on("infracost"), False),
        artefacts=_or(wrong, lambda: _kinds(found), ()),
        strict=_or(wrong, lambda: found.on("strict"), False),
        direct=_or(wrong, lambda: found.on("direct"), False),
        quiet=_or(wrong, lambda: found.on("quiet"), False),
        sources=found.sources,
        notes=files.notes,
    )
    return settings, wrong


def told_by(env: Mapping[str, str]) -> Settings:
    """What the environment and the user say of a run's end, until all settings are read."""
    ignored: list[SettingError] = []
    found = _Found(env, {}, find_users(env), container=False)
    return Settings(
        home=find_home(env),
        budget=_or(ignored, lambda: _seconds(found), float(DEFAULTS["timeout"])),
        strict=_or(ignored, lambda: found.on("strict"), False),
        quiet=_or(ignored, lambda: found.on("quiet"), False),
    )


def _or(wrong: list[SettingError], find: Callable[[], T], otherwise: T) -> T:
    try:
        return find()
    except SettingError as error:
        wrong.append(error)
        return otherwise


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
        self.levels: dict[str, int] = {}
        self._from: dict[str, File] = {}

    def text(self, name: str, default: str = "") -> str:
        """A field's text; an empty one is not set."""
        for level, places in enumerate(self._levels(name)):
            for source, value in places:
                if value and value.strip():
                    self.sources[name], self.levels[name] = source, level
                    return value.strip()
        self.sources[name], self.levels[name] = "default", LAST
        return default

    def file(self, name: str) -> File | None:
        """The settings file that a field stands in; None for any other place."""
        return self._from.get(name)

    def unused(self, name: str) -> Field | None:
        """Where a checkout's file has a field that is not its to say."""
        return self._files.unused(name)

    def _levels(self, name: str) -> Iterator[list[tuple[str, str | None]]]:
        """The places of a field, the strongest first."""
        upper = name.upper()
        plugin = (f"PLUGIN_{upper}", f"PLUGIN_{PREFIX}{upper}") if self._container else ()
        yield [("--" + name.replace("_", "-"), self._flags.get(name))]
        yield self._variables(PREFIX + upper)
        yield self._variables(*plugin)
        yield self._variables(*HARNESS_NAMES.get(name, ()))
        for file in self._files.files:
            if given := file.fields.get(name):
                self._from[name] = file
                yield [(given.place, given.text)]
            else:
                yield []

    def _variables(self, *names: str) -> list[tuple[str, str | None]]:
        return [(name, self._env.get(name)) for name in names]

    def on(self, name: str) -> bool:
        """A switch. Raises SettingError for a word that is neither on nor off."""
        word = self.text(name).lower()
        if word not in TRUE + FALSE:
            raise self.error(name, f"{word[:20]!r} is neither on nor off: use 1 or 0")
        return word in TRUE

    def error(self, name: str, what: str) -> SettingError:
        """`name` is wrong: says where it was set."""
        return SettingError(f"{self.sources[name]}: {what}")


def _must_go_together(found: _Found, key: Key | None, url: str) -> Key | None:
    """The key, if its server was named in the same place as the key or in a stronger one: who sets
    the key says where it goes. The default was named nowhere, unless somebody wanted another."""
    level = min(found.levels["api_key"], found.levels["api_key_file"])
    if key is None or found.levels["url"] <= level:
        return key
    unused = found.unused("url")
    if not _is_default(url):
        where = found.sources["url"]
    elif unused and unused.text.strip() and not _is_default(unused.text):
        where = unused.place
    else:
        return key
    name = "api_key_file" if level < found.levels["api_key"] else "api_key"
    raise SettingError(
        f"{where}: the key of {found.sources[name]} is not sent there: set TFEVENTS_URL beside it"
    )


def _is_default(url: str) -> bool:
    """Whether a URL is of the server that is the default, wherever on it."""
    here, known = _server(url), _server(DEFAULTS["url"])
    return here is not None and known is not None and here.origin == known.origin


def _key(found: _Found) -> Key | None:
    """The key or the file it is in, whichever is named in the stronger place."""
    text, path = found.text("api_key"), _path(found, "api_key_file")
    name = "api_key"
    if path and found.levels["api_key_file"] < found.levels["api_key"]:
        text, name = _read_key(found, path), "api_key_file"
    if any(ord(character) < 33 or ord(character) > 126 for character in text):
        raise found.error(name, "an API key has no spaces, line ends or other such characters")
    return Key(text) if text else None


def _read_key(found: _Found, path: str) -> str:
    shown = str(Key(path)) if re.search(KEY, path) else path
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(4096).strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise found.error("api_key_file", f"can't read the key file {shown}: {reason}") from None
    if not text:
        raise found.error("api_key_file", f"the key file {shown} is empty")
    return text


def _path(found: _Found, name: str) -> str | None:
    """A path: of a settings file, seen from there; else from where we are."""
    path, file = os.path.expanduser(found.text(name)), found.file(name)
    return os.path.join(file.directory if file else "", path) if path else None


def _cost_file(found: _Found) -> str | None:
    """Where it may be: a checkout's file can only name one of the checkout."""
    path, file = _path(found, "cost_file"), found.file("cost_file")
    if path and file and file.root and not untrusted.is_inside(path, file.root):
        raise found.error("cost_file", f"a checkout's cost file is in it: {path} is not")
    return path


def _kinds(found: _Found) -> tuple[str, ...]:
    """Kinds of artefacts, with commas between them; each once, in the order of ARTEFACTS."""
    given = {word.strip() for word in found.text("artefacts").split(",")} - {""}
    if odd := sorted(given - {*ARTEFACTS}):
        known = ", ".join(ARTEFACTS)
        raise found.error("artefacts", f"{odd[0][:20]!r} is none of {known}")
    return tuple(kind for kind in ARTEFACTS if kind in given)


def _url(found: _Found, env: Mapping[str, str]) -> str:
    text = found.text("url", DEFAULTS["url"]).rstrip("/")
    server = _server(text)
    if server is None or re.search(ODD, text):
        raise found.error("url", "this is no URL of a server: it looks like https://app.harness.io")
    if server.user:
        raise found.error("url", "a URL with a user or password: the key goes to TFEVENTS_API_KEY")
    allowed = env.get("TFEVENTS_ALLOW_HTTP", "").lower() in TRUE
    if server.scheme == "http" and not (allowed or server.loopback):
        raise found.error("url", "http:// shows the key: use https:// or TFEVENTS_ALLOW_HTTP=1")
    return text


def _api_path(found: _Found) -> str:
    """With a slash before it and none behind it; empty where the service is at the root."""
    text = found.text("api_path", DEFAULTS["api_path"]).strip("/")
    if re.search(ODD, text):
        raise found.error("api_path", "this is no path: it looks like /iacm/api")
    return f"/{text}" if text else ""


def _server(url: str) -> address.Address | None:
    try:
        return address.parse(url)
    except ValueError:
        return None


def _bounded(found: _Found, name: str) -> str | None:
    text = found.text(name)
    header = name == "account"
    if text in (".", ".."):
        raise found.error(name, f"{text!r} is no identifier")
    if len(text) > LENGTHS[name] or not text.isprintable() or (header and not text.isascii()):
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
    path = _path(found, name)
    if path and not os.access(path, os.R_OK):
        raise found.error(name, f"can't read {path}")
    return path
