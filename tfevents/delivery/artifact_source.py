"""Gives access to the files and the provisioner from which a run's artifacts are made."""

from __future__ import annotations

import os
from collections.abc import Mapping

from msgspec import Struct

from tfevents.deadline import Deadline
from tfevents.errors import UnreadableDocument
from tfevents.journal.run_lock import RunLock
from tfevents.terraform.client import TerraformClient


class ArtifactSource(Struct, frozen=True):
    """What a run's artifacts are made from: its provisioner, directory, environment and files.

    `engine` runs the provisioner. `lock`: the run lock whose private folder takes the files that
    are made. `directory`: the working directory. `plan_file`, `cost_file`: None where the run has
    none. `has_cost_diff`: whether the cost file has a difference of costs for this run. `opentofu`:
    whether the provisioner is OpenTofu.
    """

    engine: TerraformClient
    lock: RunLock
    directory: str
    env: Mapping[str, str]
    plan_file: str | None = None
    cost_file: str | None = None
    has_cost_diff: bool = False
    has_state: bool = False
    opentofu: bool = False

    def __repr__(self) -> str:
        """Leaves out the environment, which holds secrets."""
        return f"ArtifactSource({self.directory!r}, {self.plan_file!r})"

    def save_output(self, name: str, arguments: list[str], deadline: Deadline) -> str:
        """The path of a file with the stdout of the provisioner, called with these arguments.

        The output goes to the private file `name`, as it may be larger than memory. Raises
        UnreadableDocument where the command fails, takes too long or prints nothing.
        """
        path = self.lock.create_file(name)
        saved = self.engine.save(arguments, path, deadline.seconds_left)
        if not saved or not os.path.getsize(path):
            raise UnreadableDocument(f"{arguments[0]} did not answer")
        return path

    def show_plan(self, plan_file: str, deadline: Deadline) -> str:
        """The path of a private file with the plan file as JSON. Raises UnreadableDocument."""
        arguments = ["show", "-json", os.path.abspath(plan_file)]
        return self.save_output("plan.json", arguments, deadline)
