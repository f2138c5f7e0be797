"""Finds a module's configuration files and parses the blocks that say what the module needs.

The rules are those of terraform's and OpenTofu's internal/configs/parser_config_dir.go.
"""

from __future__ import annotations

import os
import re

from msgspec import Struct

from tfevents import files as untrusted
from tfevents.errors import UnreadableDocument
from tfevents.readers.hcl.blocks import Block, Schema, parse_blocks, parse_json_blocks

MAX_BYTES = 4 * 1024 * 1024  # of one file; hand-written files have less than a tenth
USES = ("resource", "data", "ephemeral", "action")
SUFFIX = re.compile(r"\.(?:tf|tofu)(\.json)?$")
USE = Schema(2, references=frozenset({"provider"}))
SCHEMA = Schema(
    blocks={
        "terraform": Schema(
            0,
            frozenset({"required_version"}),
            {"required_providers": Schema(0, None), "backend": Schema(1), "cloud": Schema()},
        ),
        "module": Schema(1, frozenset({"source", "version"})),
        "provider": Schema(1, frozenset({"alias", "version"})),
        **dict.fromkeys(USES, USE),
        "check": Schema(1, blocks={"data": USE}),
        "import": Schema(0, references=frozenset({"to", "provider"})),
    }
)


class File(Struct, frozen=True):
    """A configuration file's name and its blocks."""

    name: str
    blocks: tuple[Block, ...]


class Files(Struct, frozen=True):
    """A module's primary and override files; `problems` has a line for each broken file."""

    primary: tuple[File, ...]
    override: tuple[File, ...]
    problems: tuple[str, ...] = ()


def find_files(directory: str, *, opentofu: bool) -> Files:
    """The configuration files of `directory` in load order. Raises OSError if it does not exist."""
    found: list[File] = []
    problems: list[str] = []
    for name in _list_names(directory, opentofu):
        try:
            found.append(_read_file(os.path.join(directory, name), show_path(name)))
        except UnreadableDocument as error:
            problems.append(str(error))
    override = tuple(file for file in found if _is_override(file.name))
    primary = tuple(file for file in found if file not in override)
    return Files(primary, override, tuple(problems))


def _list_names(directory: str, opentofu: bool) -> list[str]:
    """The names of the configuration files in load order; in OpenTofu, `x.tofu` replaces `x.tf`."""
    listed = {name for name in os.listdir(directory) if not _is_ignored(name)}
    names = {name for name in listed if name.endswith((".tf", ".tf.json"))}
    if opentofu:
        tofu = {name for name in listed if name.endswith((".tofu", ".tofu.json"))}
        names = tofu | {name for name in names if SUFFIX.sub(r".tofu\1", name) not in tofu}
    files = (name for name in names if not os.path.isdir(os.path.join(directory, name)))
    return sorted(files, key=os.fsencode)


def _is_ignored(name: str) -> bool:
    """Whether a file is hidden or a backup file of vim or emacs."""
    return name[0] == "." or name[-1] == "~" or name[0] == name[-1] == "#"


def _is_override(name: str) -> bool:
    base = SUFFIX.sub("", name)
    return base == "override" or base.endswith("_override")


def show_path(name: str) -> str:
    """A path as text; bytes that are not UTF-8 are replaced."""
    return os.fsencode(name).decode("utf-8", "replace")


def _read_file(path: str, name: str) -> File:
    parse = parse_json_blocks if name.endswith(".json") else parse_blocks
    return File(name, parse(read_text(path, name), name, SCHEMA).blocks)


def read_text(path: str, name: str, root: str | None = None) -> str:
    """The text of a regular file; bytes that are not UTF-8 are replaced.

    With a `root`, a link that leads out of this directory is refused. Raises UnreadableDocument.
    """
    try:
        return untrusted.read_untrusted(path, MAX_BYTES, root=root).decode("utf-8", "replace")
    except OSError as error:
        raise UnreadableDocument(f"{name}: {error.strerror}: correct it") from None
