"""Where a run's artifacts come from."""

from __future__ import annotations

import os
from collections.abc import Mapping

from msgspec import Struct

from tfevents.deadline import Deadline
from tfevents.errors import UnreadableDocument
from tfevents.journal.run_lock import RunLock
from tfevents.terraform.client import TerraformClient


class ArtifactSource(Struct, frozen=True):
    """Where a run's artefacts come from. `plan_file`: None where there is none."""

    engine: TerraformClient
    lock: RunLock
    directory: str
    env: Mapping[str, str]
    plan_file: str | None = None
    cost_file: str | None = None
    has_state: bool = False

    def __repr__(self) -> str:
        """Without the environment, which holds secrets."""
        return f"ArtifactSource({self.directory!r}, {self.plan_file!r})"

    def ask(self, name: str, words: list[str], deadline: Deadline) -> str:
        """An answer of the provisioner in a private file: it may be larger than memory.

        Raises UnreadableDocument.
        """
        path = self.lock.create_file(name)
        if not self.engine.save(words, path, deadline.left) or not os.path.getsize(path):
            raise UnreadableDocument(f"{words[0]} did not answer")
        return path

    def show_plan(self, plan_file: str, deadline: Deadline) -> str:
        """A plan file as JSON, as `ask`."""
        return self.ask("plan.json", ["show", "-json", os.path.abspath(plan_file)], deadline)
