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
    own = {"PATH": find_search_path(env), "INFRACOST_SKIP_UPDATE_CHECK": "true"}
    tool = TerraformClient(program, (), {**env, **own}, deadline)
    done = tool.save([*ARGUMENTS, plan_json], path, deadline.left)
    os.unlink(plan_json)
    if not done:
        raise UnreadableDocument("infracost failed or took too long: run it by hand to see why")
