"""Runs the `infracost` program to estimate a plan's cost, if the setting says so.

tfevents never calls Infracost's service; the program does, with its own API key.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from tfevents.context.search_path import find_search_path
from tfevents.deadline import Deadline
from tfevents.errors import UnreadableDocument
from tfevents.terraform.client import TerraformClient

INHERITED = frozenset(
    {
        *("HOME", "USER", "LOGNAME", "TMPDIR", "LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    }
)
"""The environment variables that infracost gets, in upper or lower case, beside those with a prefix
in OWN_PREFIXES: so no API key or provider credential reaches it, whatever its name."""
OWN_PREFIXES = ("INFRACOST_", "XDG_", "LC_")
ARGUMENTS = ("breakdown", "--format", "json", "--no-color", "--path")


def find_infracost(env: Mapping[str, str]) -> str:
    """The path of `infracost`. Raises UnreadableDocument if there is none on PATH."""
    path = shutil.which("infracost", path=find_search_path(env))
    if path is None:
        raise UnreadableDocument("TFEVENTS_INFRACOST is on, but there is no infracost on PATH")
    return path


def estimate_cost(
    program: str, plan_json: str, path: str, env: Mapping[str, str], deadline: Deadline
) -> None:
    """Runs `infracost` on a plan, writes its JSON to `path` and deletes the plan's JSON.

    `plan_json`: the path of the plan's JSON. Raises UnreadableDocument if infracost fails or does
    not end before the deadline.
    """
    tool = TerraformClient(program, (), _make_environment(env), deadline)
    succeeded = tool.save([*ARGUMENTS, plan_json], path, deadline.seconds_left)
    os.unlink(plan_json)
    if not succeeded:
        raise UnreadableDocument("infracost failed or took too long: run it by hand to see why")


def _make_environment(env: Mapping[str, str]) -> dict[str, str]:
    kept = {n: v for n, v in env.items() if n.upper() in INHERITED or n.startswith(OWN_PREFIXES)}
    return {**kept, "PATH": find_search_path(env), "INFRACOST_SKIP_UPDATE_CHECK": "true"}
