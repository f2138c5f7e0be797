"""Reads what one module directory declares, with its override files merged.

The rules are terraform's and OpenTofu's own, in internal/configs: `module.go` and
`module_merge.go` for overrides, `provider_requirements.go` and `config.go` for providers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tfevents.readers.hcl import files as tffiles
from tfevents.readers.hcl.blocks import Block
from tfevents.readers.hcl.files import USES, File, Files

TERRAFORM, OPENTOFU = "registry.terraform.io", "registry.opentofu.org"
BUILTIN = "terraform.io/builtin/terraform"
SOURCE = re.compile(r"(?:(?:([\w.-]+(?::\d+)?)/)?([\w-]+)/)?([\w-]+)")
ADDRESS = re.compile(r"(?!module\.)([\w-]+)\.([\w-]+)")

Key = tuple[str, tuple[str, ...], str]


class Call(Struct, frozen=True):
    """A `module` block; `file` is the name of the file that declares it."""

    name: str
    source: str | None
    version: str | None
    file: str


class Requirement(Struct, frozen=True):
    """An entry of `required_providers`: the full source and the version as written."""

    source: str
    version: str | None


class Module(Struct, frozen=True):
    """A module's declarations.

    `providers`: by full source (`registry.terraform.io/hashicorp/aws`), the version constraints as
    written. `backend`: its type, or `cloud`. `problems`: a line for each file or entry that can't
    be read.
    """

    required_version: str | None = None
    backend: str | None = None
    calls: tuple[Call, ...] = ()
    providers: Mapping[str, tuple[str, ...]] = {}
    problems: tuple[str, ...] = ()


def read_module(directory: str, *, opentofu: bool = False) -> Module:
    """The module in `directory`; a file that can't be read becomes a problem.

    Raises OSError if there is no such directory.
    """
    files = tffiles.find_files(directory, opentofu=opentofu)
    return _make_module(files, OPENTOFU if opentofu else TERRAFORM)


def _make_module(files: Files, registry: str) -> Module:
    declared = _merge_blocks(files)
    imports = [inner for file in files.primary for inner in file.blocks if inner.type == "import"]
    problems = list(files.problems)
    required = _list_requirements(files, registry, problems)
    backends = _find_settings(files, _list_backends)
    return Module(
        ", ".join(_find_settings(files, _list_required_versions)) or None,
        backends[0] if backends else None,
        tuple(
            _make_call(block, name) for block, name in declared.values() if block.type == "module"
        ),
        _collect_constraints(
            [block for block, _ in declared.values()] + imports, required, registry
        ),
        tuple(problems),
    )


def _merge_blocks(files: Files) -> dict[Key, tuple[Block, str]]:
    """The labelled blocks with their files' names, after merging the override files' attributes."""
    found: dict[Key, tuple[Block, str]] = {}
    for file in files.primary:
        for block in file.blocks:
            if block.labels:
                found.setdefault(_make_key(block), (block, file.name))
    for file in files.override:
        for block in file.blocks:
            key = _make_key(block)
            if key in found:
                base, name = found[key]
                attributes = {**base.attributes, **block.attributes}
                found[key] = (replace(base, attributes=attributes), name)
            elif block.type == "provider" and "alias" not in block.attributes:
                found[key] = (block, file.name)  # the default configuration always exists
    return found


def _make_key(block: Block) -> Key:
    """The key that an override block shares with the block it overrides."""
    return (block.type, block.labels, str(block.attributes.get("alias")))


def _find_settings(files: Files, part: Callable[[Block], Iterable[str]]) -> list[str]:
    """A setting's values in the `terraform` blocks of the last override file that has any.

    If no override file has any: the values of all primary files.
    """
    found = [value for file in files.primary for value in _list_settings(file, part)]
    for file in files.override:
        found = _list_settings(file, part) or found
    return found


def _list_settings(file: File, part: Callable[[Block], Iterable[str]]) -> list[str]:
    return [value for block in file.blocks if block.type == "terraform" for value in part(block)]


def _list_required_versions(block: Block) -> list[str]:
    return [str(value) for value in block.attributes.values()]


def _list_backends(block: Block) -> list[str]:
    return [
        inner.labels[0] if inner.labels else inner.type
        for inner in block.blocks
        if inner.type in ("backend", "cloud")
    ]


def _make_call(block: Block, file: str) -> Call:
    source, version = (_only_text(block.attributes.get(name)) for name in ("source", "version"))
    return Call(block.labels[0], source, version, file)


def _only_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _list_requirements(files: Files, registry: str, problems: list[str]) -> dict[str, Requirement]:
    """The requirements by local name; an override file replaces a provider's whole entry."""
    found: dict[str, Requirement] = {}
    for file in files.primary + files.override:
        for block in (inner for outer in file.blocks for inner in outer.blocks):
            if block.type != "required_providers":
                continue
            for name, value in block.attributes.items():
                requirement = _parse_requirement(name, value, registry)
                if requirement:
                    found[name] = requirement
                else:
                    problems.append(
                        f"{file.name}: the source of {name!r} is no address: correct it"
                    )
    return found


def _parse_requirement(name: str, value: Any, registry: str) -> Requirement | None:
    """Parses `{source, version}`, or a version (terraform 0.12); None if the source is invalid."""
    entry = value if isinstance(value, dict) else {"version": value}
    source, version = entry.get("source"), _only_text(entry.get("version"))
    full = _imply_source(name, registry) if source is None else _complete_source(source, registry)
    return Requirement(full, version) if full else None


def _complete_source(source: Any, registry: str) -> str | None:
    """A provider's source with host, namespace and type; None if it is no valid source."""
    match = SOURCE.fullmatch(source.lower()) if isinstance(source, str) else None
    return match and f"{match[1] or registry}/{match[2] or 'hashicorp'}/{match[3]}"


def _imply_source(name: str, registry: str) -> str:
    """The source of a provider whose local name is not in required_providers."""
    return BUILTIN if name == "terraform" else f"{registry}/hashicorp/{name.lower()}"


def _collect_constraints(
    blocks: Sequence[Block], required: Mapping[str, Requirement], registry: str
) -> dict[str, tuple[str, ...]]:
    """By source, the version constraints of every provider that is required, configured or used."""
    found: dict[str, tuple[str, ...]] = {}
    for requirement in required.values():
        found[requirement.source] = _add_version(found.get(requirement.source), requirement.version)
    for name, version in _list_used(blocks):
        source = required[name].source if name in required else _imply_source(name, registry)
        found[source] = _add_version(found.get(source), version)
    return found


def _add_version(versions: tuple[str, ...] | None, version: str | None) -> tuple[str, ...]:
    return (versions or ()) + ((version,) if version else ())


def _list_used(blocks: Sequence[Block]) -> Iterator[tuple[str, str | None]]:
    """The local names of the providers in use, with the version (or None) of `provider` blocks."""
    resources = {block.labels for block in blocks if block.type == "resource"}
    for block in blocks:
        if block.type == "provider":
            yield block.labels[0], _only_text(block.attributes.get("version"))
        elif block.type in USES:
            yield _find_local_name(block, block.labels[0]), None
        elif block.type == "check":
            yield from ((_find_local_name(inner, inner.labels[0]), None) for inner in block.blocks)
        elif block.type == "import":
            target = ADDRESS.match(str(block.attributes.get("to")))
            if target and target.groups() not in resources:  # else the resource names the provider
                yield _find_local_name(block, target[1]), None


def _find_local_name(block: Block, kind: str) -> str:
    """The local provider name in a block's `provider`, else the first word of its type."""
    own = block.attributes.get("provider")
    return str(own).partition(".")[0] if own else kind.partition("_")[0]
