"""Attaches the cost and the ids of stored artifacts to a run's end event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from tfevents.context import cost_file
from tfevents.context.origin import Origin
from tfevents.deadline import Deadline
from tfevents.delivery.artifact_source import ArtifactSource
from tfevents.delivery.result import ArtifactResult
from tfevents.journal.models import Destination
from tfevents.reporting.run import RunInfo
from tfevents.settings.model import Settings


class AttachmentFunctions(NamedTuple):
    """The functions that store artifacts and estimate cost. They import httpx, python-hcl2 and
    redaction, so they are passed in, and only if they are needed."""

    store_artifacts: Callable[
        [ArtifactSource, Settings, Mapping[str, Any], Destination, Deadline], ArtifactResult
    ]
    """`delivery.artifact_store.store_artifacts`."""
    estimate_cost: Callable[[ArtifactSource, Deadline], str | None]
    """`delivery.artifacts.estimate_cost`."""


class Attachments:
    """The attachments of one run: `find_cost` is called early, the other methods when the run is
    over. `cost`: the contract's cost fields."""

    def __init__(self, info: RunInfo) -> None:
        self._info = info
        self._cost_file: str | None = None
        self._stored: Mapping[str, str] = {}
        self.cost: Mapping[str, str] = {}
        self.functions: AttachmentFunctions | None = None

    @property
    def metadata(self) -> Mapping[str, str]:
        """The contract's metadata fields of all attachments."""
        return {**self.cost, **self._stored}

    def find_cost(self, settings: Settings, origin: Origin) -> None:
        """Reads the run's cost from Infracost's JSON: from the file that the settings name, else
        from `infracost.json` beside the saved plan or in the run's directory.

        Raises UnreadableDocument.
        """
        info = self._info
        self._cost_file = settings.cost_file or cost_file.find_cost_file(
            info.directory, info.plan_file, info.env
        )
        self._read_cost(origin)

    def _read_cost(self, origin: Origin) -> None:
        if self._cost_file is not None:
            where = origin.directory, self._info.tf_workspace
            self.cost = cost_file.read_cost(self._cost_file, *where).as_json()

    def estimate_cost(
        self, source: ArtifactSource, settings: Settings, origin: Origin, deadline: Deadline
    ) -> None:
        """Runs `infracost` if that is switched on and there is no cost file yet.

        Raises UnreadableDocument.
        """
        if self._cost_file or self.functions is None or not settings.infracost:
            return
        self._cost_file = self.functions.estimate_cost(source, deadline)
        self._read_cost(origin)

    def store(
        self,
        source: ArtifactSource,
        settings: Settings,
        metadata: Mapping[str, Any],
        destination: Destination,
        deadline: Deadline,
    ) -> list[str]:
        """Stores the artifacts that are switched on; gives a line for each that could not be
        stored. Does nothing without an API key."""
        if self.functions is None or not settings.artefacts or settings.api_key is None:
            return []
        has_diff = "cost_diff_total_monthly" in self.cost
        source = replace(source, cost_file=self._cost_file, has_cost_diff=has_diff)
        stored = self.functions.store_artifacts(source, settings, metadata, destination, deadline)
        self._stored = stored.ids
        return stored.problems
