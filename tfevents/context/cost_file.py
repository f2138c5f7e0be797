"""Where Infracost's JSON of a run lies, and what it says."""

from __future__ import annotations

import os

from tfevents import files
from tfevents.context import ci
from tfevents.errors import UnreadableDocument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfevents.context.cost import Cost

NAME = "infracost.json"


def find(directory: str, plan_file: str | None, env: Mapping[str, str]) -> str | None:
    """One that lies beside the saved plan, or in the directory of the run.

    Raises UnreadableDocument for one that is a link out of the checkout.
    """
    places = [os.path.dirname(plan_file)] if plan_file else []
    for place in (*places, directory):
        path = os.path.join(place, NAME)
        if os.path.isfile(path):
            root = files.find_root(place, env, is_ci=ci.is_ci(env)) or place
            if not files.is_inside(path, root):
                raise UnreadableDocument(f"can't read the cost file {path}: it leads out of {root}")
            return path
    return None


def read(path: str, directory: str, tf_workspace: str) -> Cost:
    """As `cost.read`. Raises UnreadableDocument, which names the file where it can't be read."""
    from tfevents.context import cost  # slow to wake, and most runs have none

    return cost.read(load(path), directory, tf_workspace)


def rewrite(path: str) -> bytes:
    """As `cost.rewrite`. Raises UnreadableDocument."""
    from tfevents.context import cost

    return cost.rewrite(load(path))


def load(path: str) -> bytes:
    """The bytes of a cost file. Raises UnreadableDocument."""
    from tfevents.context.cost import MAX_BYTES

    try:
        return files.read(path, MAX_BYTES)
    except OSError as error:
        raise UnreadableDocument(f"can't read the cost file {path}: {error.strerror}") from None
