"""Finds the settings files that apply to a run, and decides which of their fields are used."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module

from msgspec import Struct

from tfevents import files as untrusted
from tfevents.context import ci
from tfevents.errors import SettingError, UnreadableDocument
from tfevents.settings.file_format import (
    CHECKOUT_FIELDS,
    ENVIRONMENT_ONLY,
    Document,
    Field,
    WorkspaceBlock,
    parse_settings_file,
)
from tfevents.settings.home import find_user_file

NAME = ".tfevents.hcl"
WORKSPACE_FILE = os.path.join(".harness", "workspace.yaml")
MAX_BYTES = 64 << 10
"""The maximum size of a settings file, in bytes."""
UNUSED_IN_CHECKOUT = (
    f"is not used: a file in a checkout may only set {', '.join(sorted(CHECKOUT_FIELDS))}"
)
UNTRUSTED_DIRECTORY = "the run's directory belongs to another user, or everybody can write to it"
USER_FILE = "~/.config/tfevents/config.hcl"


class File(Struct, frozen=True):
    """The fields of one settings file that are used.

    `directory`: where the file is. `root`: the checkout that it is in; None for the user's own
    file.
    """

    fields: Mapping[str, Field]
    directory: str
    root: str | None = None
    unused: tuple[Field, ...] = ()
    """Fields in the file that such a file may not set; they are ignored."""


class Values(Struct, frozen=True):
    """The values in the settings files, the strongest file first.

    `wrong`: the errors of files that can't be read. `notes`: a line for each file that is ignored
    in part, or altogether because of who owns its directory.
    """

    files: tuple[File, ...] = ()
    wrong: tuple[SettingError, ...] = ()
    notes: tuple[str, ...] = ()

    def unused(self, name: str) -> Field | None:
        """The field of this name that is ignored in a checkout's file; None if there is none."""
        fields = (found for file in self.files if file.root for found in file.unused)
        return next((found for found in fields if found.name == name), None)


def find_values(env: Mapping[str, str], directory: str, tf_workspace: str) -> Values:
    """The values for a run in `directory`: from .tfevents.hcl, Harness' file and the user's own
    file.

    The files are in this order, the strongest first. Of the first two the nearest is used, from
    `directory` up to the git root. A file that can't be read does not affect the others.
    """
    places = untrusted.find_trusted_directories(directory, env, is_ci=ci.is_ci(env))
    run = _Run(directory, tf_workspace)
    found = _Found()
    for name, reader in ((NAME, _read_checkout_file), (WORKSPACE_FILE, _read_harness_file)):
        if path := _find_nearest(places, name):
            found.add(reader, path, places[-1], run)
    if not places and (path := _find_nearest(untrusted.list_ancestors(directory), NAME)):
        found.notes.append(f"{path} is not read: {UNTRUSTED_DIRECTORY}")
    _add_user_file(found, env, run)
    return found.values()


def find_user_values(env: Mapping[str, str]) -> Values:
    """The values in the user's own file, without those for one run's directory."""
    found = _Found()
    _add_user_file(found, env, _Run("", ""))
    return found.values()


def _add_user_file(found: _Found, env: Mapping[str, str], run: _Run) -> None:
    """Reads the user's own file, if there is one in a trusted directory."""
    path = find_user_file(env)
    folder = os.path.dirname(path or "")
    if os.path.isabs(folder) and untrusted.is_trusted(folder, folder, {}, is_ci=False):
        found.add(_read_user_file, str(path), "", run)


class _Run(Struct, frozen=True):
    """The run for which a file is read."""

    directory: str
    tf_workspace: str


class _Found(Struct):
    """The files read so far, with errors and notes."""

    files: list[File] = []
    wrong: list[SettingError] = []
    notes: list[str] = []

    def add(
        self, reader: Callable[[str, str, _Run], File], path: str, root: str, run: _Run
    ) -> None:
        """Reads a file and adds it, or its error, and a note about its ignored fields."""
        try:
            file = reader(path, root, run)
        except SettingError as error:
            self.wrong.append(error)
            return
        self.files.append(file)
        if file.unused:
            self.notes.append(_describe_unused(file))

    def values(self) -> Values:
        """The values, errors and notes that were added."""
        return Values(tuple(self.files), tuple(self.wrong), tuple(self.notes))


def _find_nearest(places: Iterable[str], name: str) -> str | None:
    """The first existing path of this name in these directories; it need not be a regular file."""
    return next(filter(os.path.lexists, (os.path.join(place, name) for place in places)), None)


def _read_checkout_file(path: str, root: str, run: _Run) -> File:
    """A checkout's file. A workspace mapped to the run's directory replaces the file's own one."""
    document = parse_settings_file(_read_text(path, root), path)
    fields = {name: found for name, found in document.fields.items() if name in CHECKOUT_FIELDS}
    unused = tuple(found for name, found in document.fields.items() if name not in CHECKOUT_FIELDS)
    directory = os.path.dirname(path)
    fields |= _find_workspace_field(document, directory, run)
    return File(fields, directory, root, unused)


def _read_user_file(path: str, _: str, run: _Run) -> File:
    """The user's own file."""
    document, directory = parse_settings_file(_read_text(path, None), path), os.path.dirname(path)
    given = document.fields
    fields = {name: found for name, found in given.items() if name not in ENVIRONMENT_ONLY}
    unused = tuple(found for name, found in given.items() if name in ENVIRONMENT_ONLY)
    fields |= _find_workspace_field(document, directory, run)
    return File(fields, directory, None, unused)


def _read_harness_file(path: str, root: str, _: _Run) -> File:
    """Harness' own file, of which only the destination is used."""
    # imported only here: PyYAML takes longer than all other settings, and the file is rare
    workspace_file = import_module("tfevents.settings.workspace_file")
    try:
        document = workspace_file.parse_workspace_file(_read_text(path, root), path)
    except UnreadableDocument as error:
        raise SettingError(str(error)) from None
    names = workspace_file.NAMES
    fields = {
        names[name]: Field(names[name], text, f"{path}, line {line}, {name}")
        for name, (text, line) in document.items()
    }
    return File(fields, os.path.dirname(path), root)


def _read_text(path: str, root: str | None) -> str:
    try:
        return untrusted.read_untrusted(path, MAX_BYTES, root=root).decode()
    except UnicodeDecodeError:
        raise SettingError(f"{path}: it is no UTF-8 text") from None
    except OSError as error:
        raise SettingError(f"{path}: {error.strerror}") from None


def _describe_unused(file: File) -> str:
    """One line with the fields that are ignored, and where to set each instead."""
    first, *more = file.unused
    also = "".join(found.place[found.place.rindex(", line ") :] for found in more)
    names = [f"TFEVENTS_{found.name.upper()}" for found in file.unused]
    if file.root is None:
        return f"{first.place} is not used: set {names[0]}"
    own = [] if {found.name for found in file.unused} <= ENVIRONMENT_ONLY else [USER_FILE]
    return f"{first.place}{also} {UNUSED_IN_CHECKOUT}: use {' or '.join([', '.join(names), *own])}"


def _find_workspace_field(document: Document, directory: str, run: _Run) -> dict[str, Field]:
    """The field `workspace` from the block mapped to the run's directory; empty without one.

    A block with a `tf_workspace` is preferred to one without. Raises SettingError if blocks of
    different workspaces match.
    """
    here = [block for block in document.workspaces if _applies_to_run(block, directory, run)]
    exact = [block for block in here if "tf_workspace" in block.fields]
    found = {block.label: block for block in exact or here}
    if len(found) > 1:
        labels, place = " and ".join(sorted(found)), document.workspaces[0].place
        raise SettingError(f"{place}: {labels} are mapped to one directory")
    fields = (Field("workspace", block.label, block.place) for block in found.values())
    return {each.name: each for each in fields}


def _applies_to_run(block: WorkspaceBlock, directory: str, run: _Run) -> bool:
    """Whether a block is mapped to the run's directory (under any of its paths), and to its
    terraform workspace if the block names one."""
    named = block.fields.get("tf_workspace")
    if named and named.text != run.tf_workspace:
        return False
    place = block.fields.get("directory")
    return _is_same(os.path.join(directory, place.text if place else "."), run.directory)


def _is_same(one: str, other: str) -> bool:
    """Whether both paths lead to the same file or directory."""
    try:
        return os.path.samefile(one, other)
    except OSError:  # a run's directory may be deleted before its end is reported
        return os.path.realpath(one) == os.path.realpath(other)
