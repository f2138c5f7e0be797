"""Stores a run's artifacts with Harness: the kinds that the setting `artefacts` switches on.

They are sent to create-data (tests/data/contract/openapi.yaml), which requires ids that only a
Harness pipeline has. If an artifact can't be stored, the event lacks its id, but is sent all the
same.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from typing import Any

from msgspec import Struct

from tfevents.background import BackgroundTask
from tfevents.context.ci import harness
from tfevents.deadline import Deadline
from tfevents.delivery.artifact_source import ArtifactSource
from tfevents.delivery.artifacts import COLLECTORS
from tfevents.delivery.client import ApiClient
from tfevents.delivery.responses import StoredArtifact
from tfevents.delivery.result import ArtifactResult
from tfevents.errors import DeliveryError, TfeventsError, Unreachable
from tfevents.journal.models import Destination
from tfevents.settings.model import Settings
from tfevents.text import clean

DATA_TYPES = {"plan": "plan_human", "state": "state_raw"}
"""Our name of a kind → the contract's `data_type`, where the two differ."""
MOST_BYTES = 1 << 30
TRIES, PAUSE = 3, 0.5


def store_artifacts(
    source: ArtifactSource,
    settings: Settings,
    metadata: Mapping[str, Any],
    destination: Destination,
    deadline: Deadline,
) -> ArtifactResult:
    """Stores each kind that is switched on and available, one after the other.

    Returns at the deadline at the latest, with the artifacts that were stored by then. `metadata`:
    the event's, with the ids of the pipeline. Raises nothing for an artifact that can't be stored:
    the reason is added to `problems`.
    """
    query = find_query(source.env, metadata)
    if query is None:
        return ArtifactResult(problems=["artefacts are only stored inside a Harness pipeline"])
    result, target = ArtifactResult(), Target(settings, query, destination, deadline)
    work = partial(_store_all, result, source, target)
    task: BackgroundTask[None] = BackgroundTask(work, "artefacts")
    while not task.has_ended and deadline.seconds_left:
        deadline.sleep(0.02)
    if task.has_ended:
        return result
    late = "not all artefacts could be stored in time"
    return ArtifactResult({**result.ids}, [*result.problems, late])


class Target(Struct, frozen=True):
    """Where artifacts are stored, and by when. `query`: create-data's, without `data_type`."""

    settings: Settings
    query: Mapping[str, str]
    destination: Destination
    deadline: Deadline


def _store_all(result: ArtifactResult, source: ArtifactSource, target: Target) -> None:
    with closing(ApiClient(target.settings)) as client:
        for kind in target.settings.artefacts:
            try:
                path = COLLECTORS[kind](source, target.deadline)
                if path is not None:
                    _record_artifact(result, kind, _send(client, path, kind, target))
            except (TfeventsError, OSError) as error:
                reason = str(error) if isinstance(error, TfeventsError) else type(error).__name__
                result.problems.append(f"{kind} is not stored: {reason}")


def _record_artifact(result: ArtifactResult, kind: str, stored: StoredArtifact) -> None:
    """Records the artifact's id, and a violated policy: the server has stored it nevertheless."""
    result.ids[f"{kind}_uuid"] = stored.id
    if stored.policy in ("warning", "error"):
        result.problems.append(f"{kind}: policy {stored.policy}{stored.words}")


def find_query(env: Mapping[str, str], metadata: Mapping[str, Any]) -> dict[str, str] | None:
    """The query parameters of create-data without `data_type`; None outside a Harness pipeline."""
    if not harness.claims(env):
        return None
    query = {
        "pipeline_id": metadata.get("pipeline"),
        "stage_id": clean(env.get("HARNESS_STAGE_ID")),
        "pipeline_execution_id": metadata.get("pipeline_execution_id"),
        "pipeline_stage_id": metadata.get("pipeline_stage_id"),
        "provisioner_type": "tf",
    }
    return {name: str(text) for name, text in query.items()} if all(query.values()) else None


def _send(client: ApiClient, path: str, kind: str, target: Target) -> StoredArtifact:
    """Sends one artifact; tries again, TRIES times in all, while the server is Unreachable."""
    if os.path.getsize(path) > MOST_BYTES:
        raise DeliveryError(f"it is larger than {MOST_BYTES >> 20} MiB")
    query = {**target.query, "data_type": DATA_TYPES.get(kind, kind)}
    deadline, tries_left = target.deadline, TRIES
    while True:
        try:
            return client.store_artifact(path, query, target.destination, deadline)
        except Unreachable as error:
            tries_left, pause = tries_left - 1, error.retry_after or PAUSE
            if not tries_left or deadline.seconds_left <= pause:
                raise
            deadline.sleep(pause)
