"""The `infracost` binary, where the setting says that it is to be asked.

We never call Infracost's service; the binary does, with its own key.
"""

from __future__ import annotations

import os
import shutil

from tfevents.deadline import Budget
from tfevents.errors import UnreadableDocument
from tfevents.searchpath import absolute_path
from tfevents.terraform.client import Engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tfevents.delivery.artifacts import Source

WORDS = ("breakdown", "--format", "json", "--no-color", "--path")


def estimate(source: Source, budget: Budget) -> str | None:
    """A private file with what `infracost` says of the run's plan; None for a run without one.

    Raises UnreadableDocument.
    """
    if source.plan_file is None:
        return None
    binary = shutil.which("infracost", path=absolute_path(source.env))
    if binary is None:
        raise UnreadableDocument("TFEVENTS_INFRACOST is on, but there is no infracost on PATH")
    words = ["show", "-json", os.path.abspath(source.plan_file)]
    plan = source.ask("infracost-plan.json", words, budget)  # it goes by the name's end
    path = source.presence.create("infracost.json")
    ours = {"PATH": absolute_path(source.env), "INFRACOST_SKIP_UPDATE_CHECK": "true"}
    tool = Engine(binary, (), {**source.env, **ours})
    done = tool.save([*WORDS, plan], path, budget.left)
    os.unlink(plan)
    if not done:
        raise UnreadableDocument("infracost failed or took too long: run it by hand to see why")
    return path
