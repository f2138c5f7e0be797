"""Which settings files speak for a run, and what of each counts: of a checkout's own, little."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module

from msgspec import Struct

from tfevents import files as untrusted
from tfevents.context import ci
from tfevents.errors import SettingError, UnreadableDocument
from tfevents.settings.file_format import (
    NOWHERE,
    SHARED,
    Document,
    Field,
    Mapped,
    parse_settings_file,
)
from tfevents.settings.home import find_user_file

NAME = ".tfevents.hcl"
WORKSPACE_FILE = os.path.join(".harness", "workspace.yaml")
LARGEST = 64 << 10
OTHERS = "is not used: a checkout says whose workspace it is, and no more"
ELSEWHERE = "a directory on the way to it is somebody else's, or everybody's"
OWN = "~/.config/tfevents/config.hcl"


class File(Struct, frozen=True):
    """What one file says. `root`: the checkout that it came with, None for the user's own."""

    fields: Mapping[str, Field]
    directory: str
    root: str | None = None
    unused: tuple[Field, ...] = ()
    """What it says and may not say."""


class Values(Struct, frozen=True):
    """What the settings files say, the strongest first.

    `wrong` is what can't be read. `notes` has a line for each file of which something is not used.
    """

    files: tuple[File, ...] = ()
    wrong: tuple[SettingError, ...] = ()
    notes: tuple[str, ...] = ()

    def unused(self, name: str) -> Field | None:
        """A field that a checkout's file has, though it is not its to say."""
        fields = (found for file in self.files if file.root for found in file.unused)
        return next((found for found in fields if found.name == name), None)


def find_values(env: Mapping[str, str], directory: str, tf_workspace: str) -> Values:
    """The nearest project file over Harness' over the user's own, for a run in `directory`.

    The nearest from there up to the git root. A file that can't be read costs itself alone.
    """
    places = untrusted.find_trusted_directories(directory, env, is_ci=ci.is_ci(env))
    run = _Run(directory, tf_workspace)
    found = _Found()
    for name, reader in ((NAME, _read_shared), (WORKSPACE_FILE, _read_harness)):
        if path := _nearest(places, name):
            found.add(reader, path, places[-1], run)
    if not places and (path := _nearest(untrusted.list_ancestors(directory), NAME)):
        found.notes.append(f"{path} is not read: {ELSEWHERE}")
    _add_users(found, env, run)
    return found.values()


def find_users(env: Mapping[str, str]) -> Values:
    """What the user's own file says, wherever that is asked."""
    found = _Found()
    _add_users(found, env, _Run("", ""))
    return found.values()


def _add_users(found: _Found, env: Mapping[str, str], run: _Run) -> None:
    path = find_user_file(env)
    folder = os.path.dirname(path or "")
    if os.path.isabs(folder) and untrusted.is_trusted(folder, folder, {}, is_ci=False):
        found.add(_read_users, str(path), "", run)


class _Run(Struct, frozen=True):
    """For which run a file is read."""

    directory: str
    tf_workspace: str


class _Found(Struct):
    """What has been read so far."""

    files: list[File] = []
    wrong: list[SettingError] = []
    notes: list[str] = []

    def add(
        self, reader: Callable[[str, str, _Run], File], path: str, root: str, run: _Run
    ) -> None:
        """A file, with what is wrong in it, and what is not used of it."""
        try:
            file = reader(path, root, run)
        except SettingError as error:
            self.wrong.append(error)
            return
        self.files.append(file)
        if file.unused:
            self.notes.append(_note(file))

    def values(self) -> Values:
        """All of it."""
        return Values(tuple(self.files), tuple(self.wrong), tuple(self.notes))


def _nearest(places: Iterable[str], name: str) -> str | None:
    """Whatever it is that has this name: it is told if it is no file."""
    return next(filter(os.path.lexists, (os.path.join(place, name) for place in places)), None)


def _read_shared(path: str, root: str, run: _Run) -> File:
    """A workspace that is mapped to the run's directory is nearer than the file's own."""
    document = parse_settings_file(_text(path, root), path)
    fields = {name: found for name, found in document.fields.items() if name in SHARED}
    unused = tuple(found for name, found in document.fields.items() if name not in SHARED)
    directory = os.path.dirname(path)
    return File({**fields, **_mapped(document, directory, run)}, directory, root, unused)


def _read_users(path: str, _: str, run: _Run) -> File:
    document, directory = parse_settings_file(_text(path, None), path), os.path.dirname(path)
    fields = {name: found for name, found in document.fields.items() if name not in NOWHERE}
    unused = tuple(found for name, found in document.fields.items() if name in NOWHERE)
    return File({**fields, **_mapped(document, directory, run)}, directory, None, unused)


def _read_harness(path: str, root: str, _: _Run) -> File:
    """Whose workspace this is, by Harness' own file: no more than that is taken from it."""
    # by name: it imports PyYAML, which takes longer than all other settings, for a rare file
    workspace_file = import_module("tfevents.settings.workspace_file")
    try:
        document = workspace_file.parse_workspace_file(_text(path, root), path)
    except UnreadableDocument as error:
        raise SettingError(str(error)) from None
    names = workspace_file.NAMES
    fields = {
        names[name]: Field(names[name], text, f"{path}, line {line}, {name}")
        for name, (text, line) in document.items()
    }
    return File(fields, os.path.dirname(path), root)


def _text(path: str, root: str | None) -> str:
    try:
        return untrusted.read_untrusted(path, LARGEST, root=root).decode()
    except UnicodeDecodeError:
        raise SettingError(f"{path}: it is no UTF-8 text") from None
    except OSError as error:
        raise SettingError(f"{path}: {error.strerror}") from None


def _note(file: File) -> str:
    """One line, with where each field belongs."""
    first, *more = file.unused
    also = "".join(found.place[found.place.rindex(", line ") :] for found in more)
    names = [f"TFEVENTS_{found.name.upper()}" for found in file.unused]
    if file.root is None:
        return f"{first.place} is not used: set {names[0]}"
    own = [] if {found.name for found in file.unused} <= NOWHERE else [OWN]
    return f"{first.place}{also} {OTHERS}: use {' or '.join([', '.join(names), *own])}"


def _mapped(document: Document, directory: str, run: _Run) -> dict[str, Field]:
    """The workspace that is mapped to exactly this directory; one that names the terraform
    workspace before one that does not."""
    here = [block for block in document.workspaces if _is_here(block, directory, run)]
    exact = [block for block in here if "tf_workspace" in block.fields]
    found = {block.label: block for block in exact or here}
    if len(found) > 1:
        labels, place = " and ".join(sorted(found)), document.workspaces[0].place
        raise SettingError(f"{place}: {labels} are mapped to one directory")
    fields = (Field("workspace", block.label, block.place) for block in found.values())
    return {each.name: each for each in fields}


def _is_here(block: Mapped, directory: str, run: _Run) -> bool:
    """Whether it is mapped to this run: the same directory, by whichever name."""
    named = block.fields.get("tf_workspace")
    if named and named.text != run.tf_workspace:
        return False
    place = block.fields.get("directory")
    return _is_same(os.path.join(directory, place.text if place else "."), run.directory)


def _is_same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:  # a run's directory may be gone when its end is told
        return os.path.realpath(one) == os.path.realpath(other)
