""".tfevents.hcl, .harness/workspace.yaml and config.hcl → fields, and directories → workspaces."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping

from tfevents import __version__
from tfevents.errors import SettingError, UnreadableDocument
from tfevents.home import find_user_file
from tfevents.record import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` is slow to wake
    from typing import Any

NAME = ".tfevents.hcl"
WORKSPACE_FILE = os.path.join(".harness", "workspace.yaml")
TOP = frozenset(
    {"provisioner", "timeout", "strict", "ca_bundle", "direct", "cost_file", "quiet", "artefacts"}
)
HARNESS = frozenset(
    {"url", "api_path", "api_key", "api_key_file", "account", "org", "project", "workspace"}
)
WORKSPACE = frozenset({"directory", "tf_workspace"})
LARGEST = 1 << 20
KEY_LIKE = r"\bapi_key\b|\b[ps]at\.[\w-]+\.[\w-]+\.[\w-]+"
"""A key in a file of the user's own: its parsed form would be the key's second place on disk."""
EXPRESSION = r"[$%]\{"

Fields = Mapping[str, tuple[str, str]]
"""A field → where it stands (file, line and name) and its text."""


@dataclass(frozen=True)
class Values:
    """What the settings files say, the strongest first."""

    files: tuple[Fields, ...] = ()

    def get(self, name: str) -> str | None:
        """A field's text."""
        return next((file[name][1] for file in self.files if name in file), None)


def find_values(env: Mapping[str, str], directory: str, tf_workspace: str, home: str) -> Values:
    """The nearest project file over Harness' over the user's own, for a run in `directory`.

    Raises SettingError naming file, line and field.
    """
    run = Run(directory, tf_workspace, home)
    found = []
    if path := project_file(directory):
        found.append(_fields(_File(path, _read(path), shared=True), run))
    if path := _nearest(directory, WORKSPACE_FILE):
        found.append(_identifiers(_File(path, _read(path), shared=True), home))
    if path := find_user_file(env):
        found.append(_fields(_File(path, _read(path), shared=False), run))
    return Values(tuple(found))


def project_file(directory: str) -> str | None:
    """The nearest .tfevents.hcl from `directory` up to the git root; without git only there.

    Not further up: what stands above a checkout is somebody else's.
    """
    return _nearest(directory, NAME)


def _nearest(directory: str, name: str) -> str | None:
    for place in _up_to_root(os.path.abspath(directory)):
        path = os.path.join(place, name)
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


@dataclass(frozen=True)
class Run:
    """For which run a file is read, and where its parsed form may be kept."""

    directory: str
    tf_workspace: str
    home: str


@dataclass(frozen=True)
class _File:
    """A settings file; `shared`: part of a repository."""

    path: str
    text: str
    shared: bool

    def place(self, name: str) -> str:
        """Where a field stands. The line is looked up, since the parser does not keep it."""
        return f"{self.path}, line {self._line(name)}, {name}"

    def _line(self, name: str) -> int:
        pattern = re.compile(rf"(?:^|[{{\s]){re.escape(name)}\s*(?:[=:{{]|\"|$)")
        for number, line in enumerate(self.text.splitlines(), 1):
            if pattern.search(line) and not line.lstrip().startswith(("#", "//")):
                return number
        return 1

    def error(self, name: str, what: str) -> SettingError:
        """`name` is wrong."""
        return SettingError(f"{self.place(name)}: {what}")

    def field(self, name: str, value: Any) -> tuple[str, str]:
        """A field, as text."""
        if isinstance(value, str) and re.search(EXPRESSION, value):
            raise self.error(name, "no expressions, please: a text in quotes")
        if isinstance(value, bool):
            return self.place(name), "1" if value else "0"
        if isinstance(value, (str, int, float)):
            return self.place(name), str(value)
        raise self.error(name, "a text, a number or true or false, please")


def _fields(file: _File, run: Run) -> Fields:
    """A workspace that is mapped to the run's directory is nearer than the file's own."""
    fields: dict[str, tuple[str, str]] = {}
    mapped: dict[str, tuple[str, str]] = {}
    for name, value in _parse(file, run.home, _parse_hcl).items():
        if name == "harness":
            fields.update(_block(file, value))
        elif name == "workspace":
            mapped.update(_workspace(file, value, run))
        elif name in TOP:
            fields[name] = file.field(name, value)
        else:
            raise file.error(name, "no such setting")
    return {**fields, **mapped}


def _identifiers(file: _File, home: str) -> Fields:
    """Whose workspace this is, by Harness' own file: no more than that is taken from it."""
    document = _parse(file, home, _parse_yaml)
    return {name: (file.place(f"{name}_id"), text) for name, text in document.items()}


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise SettingError(f"{path}: {reason}") from None
    if len(text) > LARGEST:
        raise SettingError(f"{path}: this is too long for settings")
    return text


Parser = Callable[[_File], "dict[str, Any]"]


def _parse(file: _File, home: str, parser: Parser) -> dict[str, Any]:
    """Parsed once per edit: python-hcl2 takes 0.1 s to wake, and seconds the very first time."""
    if not os.path.isabs(home) or re.search(KEY_LIKE, file.text):
        return parser(file)
    import hashlib  # OpenSSL's is slow to wake

    kind = os.path.splitext(file.path)[1]
    digest = hashlib.sha256(f"{__version__}\0{kind}\0{file.text}".encode()).hexdigest()
    cached = os.path.join(home, "settings", digest + ".json")
    document = _cached(cached)
    if document is None:
        document = parser(file)
        _keep(cached, document)
    return document


def _parse_hcl(file: _File) -> dict[str, Any]:
    from tfevents.configuration import parse

    try:
        return parse(file.text, file.path)
    except UnreadableDocument as error:
        raise SettingError(str(error)) from None


def _parse_yaml(file: _File) -> dict[str, Any]:
    from tfevents.workspacefile import NAMES, parse

    try:
        document = parse(file.text, file.path)
    except UnreadableDocument as error:
        raise SettingError(str(error)) from None
    for name, value in document.items():
        if not isinstance(value, str):  # 0123 is 83 to YAML, and `on` is true
            raise file.error(name, "a text, please: put it in quotes")
    return {NAMES[name]: value for name, value in document.items()}


def _cached(path: str) -> dict[str, Any] | None:
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _keep(path: str, document: dict[str, Any]) -> None:
    """Visible whole or not at all; where home can't be written, every run pays again."""
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        import tempfile

        with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".", delete=False) as scratch:
            try:
                json.dump(document, scratch)
                scratch.flush()
                os.replace(scratch.name, path)
            except BaseException:
                os.unlink(scratch.name)
                raise
    except OSError:
        pass


def _block(file: _File, blocks: Any) -> Fields:
    fields = {}
    for block in blocks if isinstance(blocks, list) else [blocks]:
        if not isinstance(block, dict):
            raise file.error("harness", "this is a block: harness { … }")
        for name, value in block.items():
            if name not in HARNESS:
                raise file.error(name, "no such setting in harness")
            if name == "api_key" and file.shared:
                raise file.error(name, "a key is no part of a repository: use api_key_file")
            fields[name] = file.field(name, value)
    return fields


def _workspace(file: _File, blocks: Any, run: Run) -> Fields:
    """The workspace that is mapped to exactly this directory; one that names the terraform
    workspace before one that does not."""
    exact, any_of_them = set(), set()
    for label, block in _labelled(file, blocks):
        given = {name: file.field(name, value)[1] for name, value in block.items()}
        place = os.path.join(os.path.dirname(file.path), given.get("directory", "."))
        if os.path.realpath(place) == os.path.realpath(run.directory):
            if given.get("tf_workspace") == run.tf_workspace:
                exact.add(label)
            elif "tf_workspace" not in given:
                any_of_them.add(label)
    found = exact or any_of_them
    if len(found) > 1:
        raise file.error("workspace", f"{' and '.join(sorted(found))} are mapped to one directory")
    return {"workspace": (file.place("workspace"), found.pop())} if found else {}


def _labelled(file: _File, blocks: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for labelled in blocks if isinstance(blocks, list) else [blocks]:
        if not isinstance(labelled, dict) or not labelled:
            raise file.error("workspace", 'this is a block: workspace "id" { … }')
        for label, block in labelled.items():
            if not isinstance(block, dict) or not block.keys() <= WORKSPACE:
                raise file.error("workspace", "this takes a directory (and tf_workspace)")
            yield label, block
