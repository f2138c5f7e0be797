"""The `infracost` program, where the setting says that it is to be asked.

We never call Infracost's service; the program does, with its own key.
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
"""What it gets of the environment, in capitals or not, beside what is its own: no key of ours, of
Harness or of a provider, whatever a variable is named."""
OWN = ("INFRACOST_", "XDG_", "LC_")
ARGUMENTS = ("breakdown", "--format", "json", "--no-color", "--path")


def find_infracost(env: Mapping[str, str]) -> str:
    """The path of the program. Raises UnreadableDocument where there is none on PATH."""
    path = shutil.which("infracost", path=find_search_path(env))
    if path is None:
        raise UnreadableDocument("TFEVENTS_INFRACOST is on, but there is no infracost on PATH")
    return path


def estimate_cost(
    program: str, plan_json: str, path: str, env: Mapping[str, str], deadline: Deadline
) -> None:
    """Write what `infracost` says of a plan into `path`, and remove the plan.

    `plan_json`: the path of the plan's JSON. Raises UnreadableDocument.
    """
    tool = TerraformClient(program, (), _make_environment(env), deadline)
    done = tool.save([*ARGUMENTS, plan_json], path, deadline.left)
    os.unlink(plan_json)
    if not done:
        raise UnreadableDocument("infracost failed or took too long: run it by hand to see why")


def _make_environment(env: Mapping[str, str]) -> dict[str, str]:
    kept = {n: v for n, v in env.items() if n.upper() in INHERITED or n.startswith(OWN)}
    return {**kept, "PATH": find_search_path(env), "INFRACOST_SKIP_UPDATE_CHECK": "true"}
