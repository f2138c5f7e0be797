"""Reads a run's events in the journal, by `tfevents log --json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tfevents.selftest.check import CheckFailed
from tfevents.selftest.scratch import Project, Scratch


def list_events(scratch: Scratch, project: Project) -> Sequence[Mapping[str, Any]]:
    """The events of the project's latest run, oldest first. Raises CheckFailed if it has no run."""
    output = scratch.run_tfevents(project, "log", "--json", "-n", "1")
    runs = json.loads(output.stdout or b"{}").get("runs")
    if not runs:
        raise CheckFailed("the run is not in the journal")
    events: Sequence[Mapping[str, Any]] = runs[-1]["events"]
    return events


def find_last_event(scratch: Scratch, project: Project) -> Mapping[str, Any]:
    """The body of the latest run's last event. Raises CheckFailed if there is none."""
    events = list_events(scratch, project)
    if not events:
        raise CheckFailed("the run has no event in the journal")
    body: Mapping[str, Any] = events[-1]["event"]
    return body
