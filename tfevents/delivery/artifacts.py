"""What a run leaves with Harness beside its events: contents, and so only what was switched on.

Kept by create-data (contract, "Storing artefacts"), which wants ids that only a Harness pipeline
has. A failing one costs its id, never the event.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from tfevents.background import BackgroundTask
from tfevents.context import cost_file as costfile
from tfevents.context.ci import harness
from tfevents.deadline import Budget
from tfevents.delivery.client import Stored, Uploader
from tfevents.errors import DeliveryError, TfeventsError, Unreachable, UnreadableDocument
from tfevents.journal.models import Destination
from tfevents.journal.run_lock import RunLock
from tfevents.readers.hcl import inventory
from tfevents.readers.json.redaction import Sensitive
from tfevents.settings.model import Settings
from tfevents.terraform.client import TerraformClient

DATA_TYPES = {"plan": "plan_human", "state": "state_raw"}
"""The contract's names, where they are not ours."""
MOST_BYTES = 1 << 30
TRIES, PAUSE = 3, 0.5


class Source(Struct, frozen=True):
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
        return f"Source({self.directory!r}, {self.plan_file!r})"

    def ask(self, name: str, words: list[str], budget: Budget) -> str:
        """An answer of the provisioner in a private file: it may be larger than memory.

        Raises UnreadableDocument.
        """
        path = self.lock.create_file(name)
        if not self.engine.save(words, path, budget.left) or not os.path.getsize(path):
            raise UnreadableDocument(f"{words[0]} did not answer")
        return path


class Shelf(Struct):
    """What was stored: metadata by the contract's names; `problems`: what to tell of it."""

    ids: dict[str, str] = {}
    problems: list[str] = []


def store(
    source: Source,
    settings: Settings,
    metadata: Mapping[str, Any],
    destination: Destination,
    budget: Budget,
) -> Shelf:
    """Stores each kind that is switched on and there, one after the other, within the budget."""
    query = find_query(source.env, metadata)
    if query is None:
        return Shelf(problems=["artefacts are only stored inside a Harness pipeline"])
    shelf, counter = Shelf(), Counter(settings, query, destination, budget)
    if BackgroundTask(lambda: _fill(shelf, source, counter), "artefacts").result(budget.left):
        return shelf
    return Shelf({**shelf.ids}, [*shelf.problems, "not all artefacts could be stored in time"])


class Counter(Struct, frozen=True):
    """Where artefacts are handed in, and how long that may take."""

    settings: Settings
    query: Mapping[str, str]
    destination: Destination
    budget: Budget


def _fill(shelf: Shelf, source: Source, counter: Counter) -> bool:
    uploader = Uploader(counter.settings)
    try:
        for kind in counter.settings.artefacts:
            try:
                path = FINDERS[kind](source, counter.budget)
                if path is not None:
                    _note(shelf, kind, _send(uploader, path, kind, counter))
            except (TfeventsError, OSError) as error:
                why = str(error) if isinstance(error, TfeventsError) else type(error).__name__
                shelf.problems.append(f"{kind} is not stored: {why}")
    finally:
        uploader.close()
    return True


def _note(shelf: Shelf, kind: str, stored: Stored) -> None:
    """A policy may be hurt by what is stored all the same."""
    shelf.ids[f"{kind}_uuid"] = stored.id
    if stored.policy in ("warning", "error"):
        shelf.problems.append(f"{kind}: policy {stored.policy}{stored.words}")


def find_query(env: Mapping[str, str], metadata: Mapping[str, Any]) -> dict[str, str] | None:
    """The query of create-data, but for the kind; None outside a Harness pipeline."""
    if not harness.claims(env):
        return None
    query = {
        "pipeline_id": metadata.get("pipeline"),
        "stage_id": env.get("HARNESS_STAGE_ID"),
        "pipeline_execution_id": metadata.get("pipeline_execution_id"),
        "pipeline_stage_id": metadata.get("pipeline_stage_id"),
        "provisioner_type": "tf",
    }
    return {name: str(text) for name, text in query.items()} if all(query.values()) else None


def _send(uploader: Uploader, path: str, kind: str, counter: Counter) -> Stored:
    """Tried again where the server, or the way to it, may be better in a moment."""
    if os.path.getsize(path) > MOST_BYTES:
        raise DeliveryError(f"it is larger than {MOST_BYTES >> 20} MiB")
    query = {**counter.query, "data_type": DATA_TYPES.get(kind, kind)}
    budget, left = counter.budget, TRIES
    while True:
        try:
            return uploader.store(path, query, counter.destination, budget.left)
        except Unreachable as error:
            left, pause = left - 1, error.again or PAUSE
            if not left or budget.left <= pause:
                raise
            budget.rest(pause)


# Each kind: the private file that holds it, or None


def _modules(source: Source, _: Budget) -> str | None:
    return _declared(source, "modules")


def _providers(source: Source, _: Budget) -> str | None:
    return _declared(source, "providers")


def _declared(source: Source, kind: str) -> str | None:
    data_dir = source.env.get("TF_DATA_DIR") or ".terraform"
    found = inventory.find(source.directory, data_dir=data_dir).as_json()[kind]
    return _write(source, kind, json.dumps(found).encode()) if found else None


def _cost_breakdown(source: Source, _: Budget) -> str | None:
    """What was understood of it, written anew: never a file's own bytes."""
    if source.cost_file is None:
        return None
    return _write(source, "cost", costfile.read_redacted(source.cost_file))


def _cost_diff(source: Source, budget: Budget) -> str | None:
    """The same file, where it compares."""
    if source.cost_file is None:
        return None
    known = costfile.read_cost(source.cost_file, source.directory, "default")
    return None if known.cost_diff_total_monthly is None else _cost_breakdown(source, budget)


def _plan(source: Source, budget: Budget) -> str | None:
    """Plan JSON, redacted."""
    if source.plan_file is None:
        return None
    words = ["show", "-json", os.path.abspath(source.plan_file)]
    shown = source.ask("plan-json", words, budget)
    return _redact(source, shown, Sensitive())


def _state(source: Source, budget: Budget) -> str | None:
    """The state file, redacted; older tools mark in `show -json` what they don't in the file."""
    if not source.has_state:
        return None
    sensitive = Sensitive()
    with open(source.ask("state-json", ["show", "-json"], budget), "rb") as file:
        sensitive.collect(file.read)
    return _redact(source, source.ask("state", ["state", "pull"], budget), sensitive)


def _redact(source: Source, path: str, sensitive: Sensitive) -> str:
    """Twice through the file: what is sensitive, then all but that."""
    with open(path, "rb") as file:
        sensitive.collect(file.read)
    redacted = source.lock.create_file(f"{os.path.basename(path)}-redacted")
    with open(path, "rb") as file, open(redacted, "wb") as out:
        out.writelines(sensitive.without(file.read))
    os.unlink(path)
    return redacted


def _write(source: Source, name: str, text: bytes) -> str:
    path = source.lock.create_file(name)
    with open(path, "wb") as file:
        file.write(text)
    return path


FINDERS: Mapping[str, Callable[[Source, Budget], str | None]] = {
    "modules": _modules,
    "providers": _providers,
    "cost_breakdown": _cost_breakdown,
    "cost_diff": _cost_diff,
    "plan": _plan,
    "state": _state,
}
