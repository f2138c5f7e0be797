""".tfevents.hcl and config.hcl → fields and the map from directories to workspaces."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tfevents.errors import SettingError, UnreadableDocument

NAME = ".tfevents.hcl"
TOP = frozenset(
    {"provisioner", "timeout", "strict", "ca_bundle", "direct", "cost_file", "quiet", "infracost"}
)
HARNESS = frozenset(
    {"url", "api_path", "api_key", "api_key_file", "account", "org", "project", "workspace"}
)
WORKSPACE = frozenset({"directory", "tf_workspace"})
LARGEST = 1 << 20


@dataclass(frozen=True)
class Values:
    """Fields as text, each with the file it stands in."""

    fields: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """A field's text."""
        return self.fields[name][0] if name in self.fields else None

    def source(self, name: str) -> str:
        """The file and field, for a message."""
        return f"{self.fields[name][1]}: {name}" if name in self.fields else NAME


def find_values(env: Mapping[str, str], directory: str, tf_workspace: str, home: str) -> Values:
    """The nearest project file over the user's own, for a run in `directory`.

    Raises SettingError naming file, line and field.
    """
    user, project = user_file(env), project_file(directory)
    fields = dict(_fields(user, home, "", "")) if user else {}
    if project:
        fields.update(_fields(project, home, directory, tf_workspace))
    return Values(fields)


def user_file(env: Mapping[str, str]) -> str | None:
    """~/.config/tfevents/config.hcl, or the platform's place for it, where there is one."""
    import platformdirs

    given = env.get("XDG_CONFIG_HOME")
    base = os.path.join(given, "tfevents") if given else platformdirs.user_config_dir("tfevents")
    path = os.path.join(base, "config.hcl")
    return path if os.path.isfile(path) else None


def project_file(directory: str) -> str | None:
    """The nearest .tfevents.hcl from `directory` up to the git root; without git only there.

    Not further up: what stands above a checkout is somebody else's.
    """
    for place in _up_to_root(os.path.abspath(directory)):
        path = os.path.join(place, NAME)
        if os.path.isfile(path):
            return path
    return None


def _up_to_root(directory: str) -> list[str]:
    places, place = [directory], directory
    while not os.path.exists(os.path.join(place, ".git")):
        parent = os.path.dirname(place)
        if parent == place:
            return [directory]
        places.append(parent)
        place = parent
    return places


def _fields(
    path: str, home: str, directory: str, tf_workspace: str
) -> Iterator[tuple[str, tuple[str, str]]]:
    text = _read(path)
    document = _parse(text, path, home)
    for name, value in document.items():
        if name == "harness":
            yield from _block(value, HARNESS, path, text, in_project=bool(directory))
        elif name == "workspace":
            yield from _workspace(value, path, text, directory, tf_workspace)
        elif name in TOP:
            yield name, (_text(value, path, text, name), path)
        else:
            raise _error(path, text, name, "no such setting")


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise SettingError(f"{path}: {reason}") from None


def _parse(text: str, path: str, home: str) -> dict[str, Any]:
    """Parsed once per edit: python-hcl2 takes 0.1 s to wake, and seconds the very first time."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    cached = os.path.join(home, "settings", digest + ".json")
    try:
        with open(cached, encoding="utf-8") as file:
            known: dict[str, Any] = json.load(file)
            return known
    except (OSError, ValueError):
        pass
    document = _parse_hcl(text, path)
    _keep(cached, document)
    return document


def _parse_hcl(text: str, path: str) -> dict[str, Any]:
    from tfevents.configuration import parse

    try:
        return parse(text, path)
    except UnreadableDocument as error:
        raise SettingError(str(error)) from None


def _keep(path: str, document: dict[str, Any]) -> None:
    """Visible whole or not at all; where home can't be written, every run pays again."""
    scratch = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(os.open(scratch, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
            json.dump(document, file)
        os.replace(scratch, path)
    except OSError:
        pass


def _block(
    blocks: Any, known: frozenset[str], path: str, text: str, *, in_project: bool
) -> Iterator[tuple[str, tuple[str, str]]]:
    for block in blocks if isinstance(blocks, list) else [blocks]:
        if not isinstance(block, dict):
            raise _error(path, text, "harness", "this is a block: harness { … }")
        for name, value in block.items():
            if name not in known:
                raise _error(path, text, name, "no such setting in harness")
            if name == "api_key" and in_project:
                raise _error(path, text, name, "a key is no part of a repository: use api_key_file")
            yield name, (_text(value, path, text, name), path)


def _workspace(
    blocks: Any, path: str, text: str, directory: str, tf_workspace: str
) -> Iterator[tuple[str, tuple[str, str]]]:
    """The workspace that is mapped to exactly this directory; one that names the terraform
    workspace before one that does not."""
    best: tuple[bool, str] | None = None
    for label, block in _labelled(blocks, path, text):
        place = os.path.join(os.path.dirname(path), str(block.get("directory", ".")))
        wanted = block.get("tf_workspace")
        here = os.path.realpath(place) == os.path.realpath(directory)
        if here and wanted in (None, tf_workspace):
            best = max(best or (False, label), (wanted is not None, label))
    if best:
        yield "workspace", (best[1], path)


def _labelled(blocks: Any, path: str, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for labelled in blocks if isinstance(blocks, list) else [blocks]:
        if not isinstance(labelled, dict):
            raise _error(path, text, "workspace", 'this is a block: workspace "id" { … }')
        for label, block in labelled.items():
            if not isinstance(block, dict) or not block.keys() <= WORKSPACE:
                raise _error(path, text, "workspace", 'this takes a directory (and tf_workspace)')
            yield label, block


def _text(value: Any, path: str, text: str, name: str) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise _error(path, text, name, "a text, a number or true or false, please")


def _error(path: str, text: str, name: str, what: str) -> SettingError:
    """The line is looked up by the name, since the parser does not keep it."""
    lines = enumerate(text.splitlines(), 1)
    line = next((number for number, words in lines if words.strip().startswith(name)), 1)
    return SettingError(f"{path}, line {line}, {name}: {what}")
