"""Where Infracost's JSON of a run lies, and what it says."""

from __future__ import annotations

import os

from tfevents.errors import UnreadableDocument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tfevents.cost import Cost

NAME = "infracost.json"


def find(directory: str, plan_file: str | None) -> str | None:
    """One that lies beside the saved plan, or in the directory of the run."""
    places = [os.path.dirname(plan_file)] if plan_file else []
    found = (os.path.join(place, NAME) for place in (*places, directory))
    return next(filter(os.path.isfile, found), None)


def read(path: str, directory: str, tf_workspace: str) -> Cost:
    """As `cost.read`. Raises UnreadableDocument, which names the file where it can't be read."""
    from tfevents import cost  # slow to wake, and most runs have none

    try:
        with open(path, "rb") as file:
            data = file.read(cost.MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableDocument(f"can't read the cost file {path}: {error.strerror}") from None
    return cost.read(data, directory, tf_workspace)
