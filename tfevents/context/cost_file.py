"""Finds and reads the file with Infracost's JSON that belongs to a run."""

from __future__ import annotations

import os
from collections.abc import Mapping

from tfevents import files
from tfevents.context import ci, cost
from tfevents.context.cost import Cost
from tfevents.errors import UnreadableDocument

NAME = "infracost.json"


def find_cost_file(directory: str, plan_file: str | None, env: Mapping[str, str]) -> str | None:
    """The path of an `infracost.json` beside the saved plan, else in the run's directory.

    None if there is none. Raises UnreadableDocument for a link that leads out of the checkout.
    """
    candidates = [os.path.dirname(plan_file)] if plan_file else []
    for candidate in (*candidates, directory):
        path = os.path.join(candidate, NAME)
        if os.path.isfile(path):
            root = files.find_root(candidate, env, is_ci=ci.is_ci(env)) or candidate
            if not files.is_inside(path, root):
                raise UnreadableDocument(f"can't read the cost file {path}: it leads out of {root}")
            return path
    return None


def read_cost(path: str, directory: str, tf_workspace: str) -> Cost:
    """The cost of the run in `directory` and `tf_workspace`, from the cost file at `path`.

    Raises UnreadableDocument; if the file can't be read, the error names it.
    """
    return cost.parse_cost(_read_bytes(path), directory, tf_workspace)


def read_redacted(path: str) -> bytes:
    """A cost file without what must not be stored. Raises UnreadableDocument."""
    return cost.redact_document(_read_bytes(path))


def _read_bytes(path: str) -> bytes:
    try:
        return files.read_untrusted(path, cost.MAX_BYTES)
    except OSError as error:
        raise UnreadableDocument(f"can't read the cost file {path}: {error.strerror}") from None
