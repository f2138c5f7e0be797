"""The text of a new `.tfevents.hcl`, which file_format reads back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from msgspec import Struct

HEAD = """\
# Whose workspaces at Harness IaCM this repository's runs belong to. tfevents reads it: README.md.
# A pull request can change it, so it says nothing of keys or servers: those are set where runs are
# started, as TFEVENTS_API_KEY and TFEVENTS_URL.
"""


class RepositorySettings(Struct, frozen=True):
    """`workspace`: of all directories that are not in `workspaces`, which has their ids by their
    directory, relative to the file."""

    org: str
    project: str
    workspace: str | None = None
    workspaces: Mapping[str, str] = {}


def write_settings_file(settings: RepositorySettings) -> str:
    """Its text; parse_settings_file reads it back."""
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
    """A string of HCL, in which nothing is a template."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def suggest_workspace(directory: str) -> str:
    """An identifier as Harness has them, from a directory's path."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", directory).strip("_")
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"
