"""Writes the text of a new `.tfevents.hcl`, which file_format can parse."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from msgspec import Struct

HEAD = """\
# The Harness IaCM workspaces that runs in this repository belong to; for tfevents, see its README.
# A pull request can change this file, so it can't set API keys or servers: those are set where runs
# are started, as TFEVENTS_API_KEY and TFEVENTS_URL.
"""


class RepositorySettings(Struct, frozen=True):
    """The workspaces of a repository.

    `workspaces`: workspace ids by directory, relative to the file. `workspace`: the id for all
    directories that are not in `workspaces`.
    """

    org: str
    project: str
    workspace: str | None = None
    workspaces: Mapping[str, str] = {}


def write_settings_file(settings: RepositorySettings) -> str:
    """The text of the settings file, which parse_settings_file can parse."""
    fields = {"org": settings.org, "project": settings.project, "workspace": settings.workspace}
    width = max(len(name) for name, value in fields.items() if value)
    lines = [f"  {name:{width}} = {quote(value)}" for name, value in fields.items() if value]
    blocks = [
        f"workspace {quote(workspace)} {{\n  directory = {quote(directory)}\n}}\n"
        for directory, workspace in settings.workspaces.items()
    ]
    harness = "\n".join(["harness {", *lines, "}", ""])
    return "\n".join([HEAD + harness, *blocks])


def quote(text: str) -> str:
    """A text as a quoted HCL string, with template markers escaped."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def suggest_workspace(directory: str) -> str:
    """A valid Harness identifier, made from a directory's path."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", directory).strip("_")
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"
