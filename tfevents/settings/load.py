"""Loads the settings: each field from its strongest source, and checked.

The order of the sources is: flag, TFEVENTS_* (in the container also as PLUGIN_*, see
stage/settings.py), Harness' own variables, .tfevents.hcl, .harness/workspace.yaml (of both only the
fields that a checkout may set), ~/.config/tfevents/config.hcl, default.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from tfevents import files as untrusted
from tfevents.errors import SettingError
from tfevents.settings.environment import ALLOW_HTTP, MAX_LENGTHS
from tfevents.settings.files import find_user_values, find_values
from tfevents.settings.home import find_home
from tfevents.settings.model import ARTIFACT_KINDS, DEFAULTS, KEY, KEY_FORMAT, ApiKey, Settings
from tfevents.settings.sources import FieldSources, allows_http
from tfevents.settings.url import ServerUrl, parse_url

T = TypeVar("T")
P = ParamSpec("P")

FORBIDDEN_CHARACTERS = r"[^!-~]|[?#\\]"
"""Characters that are not allowed in a server's URL, nor in the API path."""


def load_settings(
    env: Mapping[str, str],
    directory: str,
    *,
    tf_workspace: str = "default",
    flags: Mapping[str, str | None] | None = None,
) -> Settings:
    """The settings of a run in `directory`.

    Raises SettingError: one line with the setting's place and what to do.
    """
    settings, errors = gather_settings(env, directory, tf_workspace=tf_workspace, flags=flags)
    if errors:
        raise errors[0]
    return settings


def gather_settings(
    env: Mapping[str, str],
    directory: str,
    *,
    tf_workspace: str = "default",
    flags: Mapping[str, str | None] | None = None,
) -> tuple[Settings, list[SettingError]]:
    """The settings of a run in `directory`, and all errors; a field with an error has its default.

    With an error no event may be sent, but it has to be known where the event belongs, and whether
    the run is strict.
    """
    files = find_values(env, directory, tf_workspace)
    wrong = [*files.wrong]
    found = FieldSources(env, flags or {}, files)
    allow_http = _find_or_default(wrong, False, allows_http, env)
    url = _find_or_default(wrong, DEFAULTS["url"], _find_url, found, allow_http)
    key = _find_or_default(wrong, None, _find_key, found)
    settings = Settings(
        home=find_home(env),
        url=url,
        api_path=_find_or_default(wrong, DEFAULTS["api_path"], _find_api_path, found),
        api_key=_find_or_default(wrong, None, _check_key_destination, found, key, url),
        account=_find_or_default(wrong, None, _find_account, found, key),
        org=_find_or_default(wrong, None, _find_identifier, found, "org"),
        project=_find_or_default(wrong, None, _find_identifier, found, "project"),
        workspace=_find_or_default(wrong, None, _find_identifier, found, "workspace"),
        timeout=_find_or_default(wrong, float(DEFAULTS["timeout"]), _find_timeout, found),
        ca_bundle=_find_or_default(wrong, None, _find_readable_file, found, "ca_bundle"),
        cost_file=_find_or_default(wrong, None, _find_cost_file, found),
        infracost=_find_or_default(wrong, False, found.is_on, "infracost"),
        artefacts=_find_or_default(wrong, (), _find_artifact_kinds, found),
        strict=_find_or_default(wrong, False, found.is_on, "strict"),
        direct=_find_or_default(wrong, False, found.is_on, "direct"),
        quiet=_find_or_default(wrong, False, found.is_on, "quiet"),
        sources=found.sources,
        notes=files.notes,
    )
    return settings, wrong


def read_early_settings(env: Mapping[str, str]) -> Settings:
    """The settings needed for a run's end, from the environment and the user's own file alone.

    Used until all settings are read. Errors are ignored.
    """
    ignored: list[SettingError] = []
    found = FieldSources(env, {}, find_user_values(env))
    return Settings(
        home=find_home(env),
        timeout=_find_or_default(ignored, float(DEFAULTS["timeout"]), _find_timeout, found),
        strict=_find_or_default(ignored, False, found.is_on, "strict"),
        quiet=_find_or_default(ignored, False, found.is_on, "quiet"),
    )


def _find_or_default(
    wrong: list[SettingError],
    otherwise: T,
    find: Callable[P, T],
    *arguments: P.args,
    **options: P.kwargs,
) -> T:
    """What `find` returns; `otherwise` if it raises SettingError, which is added to `wrong`."""
    try:
        return find(*arguments, **options)
    except SettingError as error:
        wrong.append(error)
        return otherwise


def _check_key_destination(found: FieldSources, key: ApiKey | None, url: str) -> ApiKey | None:
    """The key, if the URL comes from the same source as the key or from a stronger one.

    Whoever sets the key decides where it is sent. With a URL from a weaker source the key may only
    go to the default server, and only if no checkout's file has asked for another one. Raises
    SettingError in all other cases.
    """
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
    key_place = found.sources[_find_key_field(found)]
    told = f"the key of {key_place} is not sent there: set TFEVENTS_URL beside it"
    raise SettingError(f"{where}: {told}")


def _is_default(url: str) -> bool:
    """Whether a URL is of the default server, with whatever path."""
    here, known = _parse_server(url), _parse_server(DEFAULTS["url"])
    return here is not None and known is not None and here.origin == known.origin


def _find_key(found: FieldSources) -> ApiKey | None:
    """The API key, from the field `api_key` or the file in `api_key_file`, whichever has the
    stronger source; None without one."""
    text, path = found.text("api_key"), _find_path(found, "api_key_file")
    name = _find_key_field(found)
    if path and name == "api_key_file":
        text = _read_key_file(found, path)
    key = ApiKey(text) if text else None
    if key and key.fault:
        raise found.error(name, key.fault)
    return key


def _find_key_field(found: FieldSources) -> str:
    """Which of the two fields has the stronger source; both must have been looked up before."""
    levels = found.levels
    return "api_key_file" if levels["api_key_file"] < levels["api_key"] else "api_key"


def _find_account(found: FieldSources, key: ApiKey | None) -> str | None:
    """The account that is set, else the key's. Raises SettingError if a key is without either."""
    account = _find_identifier(found, "account")
    if key and not (account or key.account):
        told = f"this is no {KEY_FORMAT}: take such a key, or set TFEVENTS_ACCOUNT as well"
        raise found.error(_find_key_field(found), told)
    return account or (key.account if key else None)


def _read_key_file(found: FieldSources, path: str) -> str:
    """The key in the key file.

    Raises SettingError if the file can't be read or is empty. If `path` is itself a key, the
    message masks it.
    """
    shown = str(ApiKey(path)) if re.search(KEY, path) else path
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(4096).strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise found.error("api_key_file", f"can't read the key file {shown}: {reason}") from None
    if not text:
        raise found.error("api_key_file", f"the key file {shown} is empty")
    return text


def _find_path(found: FieldSources, name: str) -> str | None:
    """A path, relative to the settings file that it is set in, else to the working directory."""
    path, file = os.path.expanduser(found.text(name)), found.file(name)
    return os.path.join(file.directory if file else "", path) if path else None


def _find_cost_file(found: FieldSources) -> str | None:
    """The path of the cost file.

    Raises SettingError if a checkout's file names one outside the checkout.
    """
    path, file = _find_path(found, "cost_file"), found.file("cost_file")
    if path and file and file.root and not untrusted.is_inside(path, file.root):
        raise found.error("cost_file", f"a checkout's cost file is in it: {path} is not")
    return path


def _find_artifact_kinds(found: FieldSources) -> tuple[str, ...]:
    """The kinds in the comma-separated field `artefacts`; each once, as ARTIFACT_KINDS has them."""
    given = {word.strip() for word in found.text("artefacts").split(",")} - {""}
    if odd := sorted(given - {*ARTIFACT_KINDS}):
        known = ", ".join(ARTIFACT_KINDS)
        raise found.error("artefacts", f"{odd[0][:20]!r} is none of {known}")
    return tuple(kind for kind in ARTIFACT_KINDS if kind in given)


def _find_url(found: FieldSources, allow_http: bool) -> str:
    """The server's URL, without a slash at its end. `allow_http`: also to other hosts."""
    text = found.text("url", DEFAULTS["url"]).rstrip("/")
    server = _parse_server(text)
    if server is None or re.search(FORBIDDEN_CHARACTERS, text):
        raise found.error("url", "this is no URL of a server: it looks like https://app.harness.io")
    if server.user:
        raise found.error("url", "a URL with a user or password: the key goes to TFEVENTS_API_KEY")
    if server.scheme == "http" and not (allow_http or server.loopback):
        raise found.error("url", f"http:// shows the key: use https:// or {ALLOW_HTTP}=1")
    return text


def _find_api_path(found: FieldSources) -> str:
    """The API path with a slash before it and none behind it; empty if the API is at the root."""
    text = found.text("api_path", DEFAULTS["api_path"]).strip("/")
    if re.search(FORBIDDEN_CHARACTERS, text):
        raise found.error("api_path", "this is no path: it looks like /iacm/api")
    return f"/{text}" if text else ""


def _parse_server(url: str) -> ServerUrl | None:
    try:
        return parse_url(url)
    except ValueError:
        return None


def _find_identifier(found: FieldSources, name: str) -> str | None:
    """A part of the destination, as the contract allows it; None if it is not set. The account is
    sent as a header, so it must be ASCII."""
    text = found.text(name)
    header = name == "account"
    if text in (".", ".."):
        raise found.error(name, f"{text!r} is no identifier")
    if len(text) > MAX_LENGTHS[name] or not text.isprintable() or (header and not text.isascii()):
        raise found.error(name, f"1 to {MAX_LENGTHS[name]} printable characters, please")
    return text or None


def _find_timeout(found: FieldSources) -> float:
    """The field `timeout`, in seconds."""
    text = found.text("timeout", DEFAULTS["timeout"])
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 3600:
        raise found.error("timeout", f"{text[:20]!r} is no number of seconds from 0 to 3600")
    return seconds


def _find_readable_file(found: FieldSources, name: str) -> str | None:
    """The path of a file that can be read; None if it is not set."""
    path = _find_path(found, name)
    if path and not os.access(path, os.R_OK):
        raise found.error(name, f"can't read {path}")
    return path
