"""Infracost's JSON as a file of the run: where it is, and its cost."""

from __future__ import annotations

import os
from collections.abc import Mapping

from tfevents import files
from tfevents.context import ci, cost
from tfevents.context.cost import Cost
from tfevents.errors import UnreadableDocument

NAME = "infracost.json"


def find_cost_file(directory: str, plan_file: str | None, env: Mapping[str, str]) -> str | None:
    """The path of an `infracost.json` beside the saved plan, else in the directory of the run.

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


def read_cost(path: str, directory: str, tf_workspace: str) -> Cost:
    """The cost in the file at `path` of the run in `directory` and `tf_workspace`.

    Raises UnreadableDocument, which names the file where it can't be read.
    """
    return cost.parse_cost(_read_bytes(path), directory, tf_workspace)


def read_redacted(path: str) -> bytes:
    """The bytes of a cost file that may be stored. Raises UnreadableDocument."""
    return cost.redact_document(_read_bytes(path))


def _read_bytes(path: str) -> bytes:
    try:
        return files.read_untrusted(path, cost.MAX_BYTES)
    except OSError as error:
        raise UnreadableDocument(f"can't read the cost file {path}: {error.strerror}") from None
