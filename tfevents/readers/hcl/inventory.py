"""Lists a configuration's modules and providers, through all its modules, and their versions."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import asdict, replace

from tfevents import text
from tfevents.addresses import redact_source
from tfevents.errors import UnreadableDocument
from tfevents.readers.hcl import module
from tfevents.readers.hcl.blocks import Schema, parse_blocks
from tfevents.readers.hcl.files import read_text, show_path
from tfevents.readers.hcl.module import Call, Module

LOCK_FILE = ".terraform.lock.hcl"
LOCK = Schema(blocks={"provider": Schema(1, frozenset({"version"}))})
MANIFEST = "modules.json"
MAX_CALLS = 10_000
LOCAL = re.compile(r"\.\.?[/\\]")
REGISTRY_SOURCE = re.compile(
    r"(?!github\.com/|bitbucket\.org/)([\w.-]+(:\d+)?/)?[\w-]+/[\w-]+/[\w-]+(//.*)?"
)
T = TypeVar("T")


class ModuleCall(Struct, frozen=True):
    """A module call: `name` is its path (`network.subnets`).

    `file` is relative to the root module's directory.
    """

    name: str
    source: str | None
    version: str | None
    resolved_version: str | None
    file: str


class Provider(Struct, frozen=True):
    """A provider: the version constraints of all modules, and the version in the lock file."""

    source: str
    constraint: str | None
    resolved_version: str | None


class Inventory(Struct, frozen=True):
    """The declarations. `problems` has a line for each file or module that could not be read."""

    required_version: str | None = None
    modules: tuple[ModuleCall, ...] = ()
    providers: tuple[Provider, ...] = ()
    backend: str | None = None
    problems: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """`required_version`, `modules`, `providers` and `backend`; None means not known.

        Every text is cleaned to one printable line, since it may be sent.
        """
        return {
            "required_version": text.clean(self.required_version),
            "modules": [_clean_row(asdict(call)) for call in self.modules],
            "providers": [_clean_row(asdict(provider)) for provider in self.providers],
            "backend": text.clean(self.backend),
        }


def _clean_row(row: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name: text.clean(value) for name, value in row.items()}


class Installed(Struct, frozen=True):
    """A record of `modules.json`: the directory and version of an installed module."""

    source: str
    version: str | None
    directory: str


class Visit(Struct, frozen=True):
    """A module to read. `key`: its path (`network.subnets`), "" for the root module.

    `above`: the real directories of the modules that lead to it, to detect circles.
    """

    key: str
    directory: str
    above: tuple[str, ...] = ()


class Tree(Struct):
    """The result of walking the module tree so far."""

    directory: str
    opentofu: bool
    installed: Mapping[str, Installed]
    modules: dict[str, Module] = {}
    calls: list[ModuleCall] = []
    constraints: dict[str, list[str]] = {}
    problems: list[str] = []


def read_inventory(
    directory: str, *, opentofu: bool = False, data_dir: str = ".terraform"
) -> Inventory:
    """The inventory of the root module in `directory`; broken files only become problems.

    `data_dir` is TF_DATA_DIR. Remote modules are read from where `init` installed them.
    """
    problems: list[str] = []
    own = os.path.join(directory, data_dir)
    manifest = os.path.join(own, "modules", "modules.json")
    installed = _read_optional(_parse_manifest, manifest, MANIFEST, problems, own)
    locked = _read_optional(
        _parse_lock_file, os.path.join(directory, LOCK_FILE), LOCK_FILE, problems
    )
    tree = Tree(directory, opentofu, installed, problems=problems)
    _walk_modules(tree)
    root = tree.modules.get(os.path.realpath(directory), Module())
    return Inventory(
        root.required_version,
        tuple(sorted(tree.calls, key=lambda call: call.name.split("."))),
        tuple(
            Provider(source, ", ".join(constraints) or None, locked.get(source))
            for source, constraints in sorted(tree.constraints.items())
        ),
        root.backend,
        tuple(dict.fromkeys(tree.problems)),
    )


def find_backend(directory: str) -> str | None:
    """The backend of the root module in `directory`, for Terraform or else for OpenTofu, which
    reads `.tofu` files too; None without one."""
    for opentofu in (False, True):
        with suppress(OSError):
            if found := module.read_module(directory, opentofu=opentofu).backend:
                return found
    return None


def _read_optional(
    parse: Callable[[str], dict[str, T]],
    path: str,
    name: str,
    problems: list[str],
    root: str | None = None,
) -> dict[str, T]:
    """The parsed content of an optional file; empty if the file is absent or broken (a problem)."""
    try:
        return parse(read_text(path, name, root)) if os.path.lexists(path) else {}
    except UnreadableDocument as error:
        problems.append(str(error))
        return {}


def _parse_lock_file(text: str) -> dict[str, str]:
    """By full provider source, the version in the dependency lock file."""
    blocks = parse_blocks(text, LOCK_FILE, LOCK).blocks
    return {block.labels[0]: str(block.attributes.get("version")) for block in blocks}


def _parse_manifest(text: str) -> dict[str, Installed]:
    """By module path, the records of `modules.json`."""
    try:
        return dict(_parse_record(record) for record in json.loads(text)["Modules"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        message = f"{MANIFEST}: this is not what init writes: run terraform init"
        raise UnreadableDocument(message) from None


def _parse_record(record: Mapping[str, Any]) -> tuple[str, Installed]:
    """The module path and the rest of a record. Raises what broken JSON makes it raise."""
    key, source, directory = record["Key"], record["Source"], record["Dir"]
    version = record.get("Version")
    if not all(isinstance(value, str) for value in (key, source, directory, version or "")):
        raise TypeError
    return key, Installed(source, version, directory)


def _walk_modules(tree: Tree) -> None:
    """Reads the root module and all modules below it; each directory is read once."""
    waiting = [Visit("", tree.directory)]
    while waiting and len(tree.calls) < MAX_CALLS:
        visit = waiting.pop()
        real = _resolve_directory(tree, visit)
        if real is None:
            continue
        found = _read_module(tree, visit, real)
        _note_constraints(tree, found)
        for call in found.calls:
            child = _note_call(tree, visit, call)
            if child:
                waiting.append(replace(child, above=(*visit.above, real)))
    if waiting:
        tree.problems.append(f"more than {MAX_CALLS} module calls: the rest was not read")


def _resolve_directory(tree: Tree, visit: Visit) -> str | None:
    """The module's real directory; None, and a problem, for a circle and for an impossible path."""
    try:
        real = os.path.realpath(visit.directory)
    except ValueError:  # a NUL or a lone surrogate
        tree.problems.append(f"module {visit.key}: its source is no path: correct it")
        return None
    if real in visit.above:
        tree.problems.append(f"module {visit.key}: it calls itself: end the circle")
        return None
    return real


def _read_module(tree: Tree, visit: Visit, real: str) -> Module:
    if real not in tree.modules:
        try:
            tree.modules[real] = module.read_module(visit.directory, opentofu=tree.opentofu)
        except OSError as error:
            where = f"module {visit.key}" if visit.key else "the root module"
            tree.problems.append(f"{where}: {error.strerror}: correct its source")
            return Module()
        problems = tree.modules[real].problems
        tree.problems += [_locate(tree, visit, problem) for problem in problems]
    return tree.modules[real]


def _note_constraints(tree: Tree, found: Module) -> None:
    for source, versions in found.providers.items():
        known = tree.constraints.setdefault(source, [])
        parts = [part.strip() for version in versions for part in version.split(",")]
        known += [part for part in dict.fromkeys(parts) if part not in known]


def _note_call(tree: Tree, visit: Visit, call: Call) -> Visit | None:
    """Adds the call to the tree; returns its module to visit, None if remote and not installed."""
    key = f"{visit.key}.{call.name}" if visit.key else call.name
    record = tree.installed.get(key)
    if record and not _has_source(record, call.source or ""):
        record = None
    version = record.version if record else None
    file = _locate(tree, visit, call.file)
    source = text.clean(call.source)
    shown = redact_source(source) if source else None
    tree.calls.append(ModuleCall(key, shown, call.version, version, file))
    if LOCAL.match(call.source or ""):
        path = os.path.join(visit.directory, call.source or "")
        return Visit(key, os.path.normpath(path))  # terraform joins paths as text, too
    return Visit(key, os.path.join(tree.directory, record.directory)) if record else None


def _has_source(record: Installed, source: str) -> bool:
    """Whether an installed module is the one of this source; only checked for registry sources."""
    return not REGISTRY_SOURCE.fullmatch(source) or f"/{record.source}".endswith(f"/{source}")


def _locate(tree: Tree, visit: Visit, name: str) -> str:
    """The path of a module's file relative to the root module's directory."""
    below = os.path.relpath(visit.directory, tree.directory)
    return name if below == "." else f"{show_path(below)}/{name}".replace(os.sep, "/")
