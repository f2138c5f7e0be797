"""Runs whose process is gone without an end: reported as failed and killed, their files swept."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from typing import Any

from tfevents import __version__, presence
from tfevents.errors import SettingError
from tfevents.event import Activity, EventType, Operation, activity_type, describe
from tfevents.journal import Destination, Journal, NewEvent, Run, now
from tfevents.plan import Mode
from tfevents.settings import load

NOTE = "run"
"""The private file in which a run notes what it is, before terraform starts."""


def note(operation: str, mode: str, opened_at: str, directory: str) -> bytes:
    """A run's note: enough to report it when it is killed in its first moments."""
    return "\n".join((operation, mode, opened_at, directory)).encode(errors="surrogateescape")


def close_gone(journal: Journal, env: Mapping[str, str]) -> int:
    """Closes what is gone under the journal's home; gives how many runs that were."""
    if journal.home is None:
        return 0
    closed = 0
    for identity in presence.gone(journal.home):
        with presence.burying(journal.home, identity) as folder:
            if folder:
                closed += _close(journal, identity, folder, env)
    return closed


def _close(journal: Journal, identity: str, folder: str, env: Mapping[str, str]) -> bool:
    run = journal.run(identity) or _noted(journal, identity, folder, env)
    if run is None or run.ended_at:
        return False
    return journal.end_run(identity, None, [killed(run)])


def _noted(journal: Journal, identity: str, folder: str, env: Mapping[str, str]) -> Run | None:
    """A run that was killed before the journal knew of it."""
    try:
        with open(os.path.join(folder, NOTE), "rb") as file:
            text = file.read(8192).decode(errors="surrogateescape")
    except OSError:
        return None
    operation, mode, opened_at, directory = (*text.split("\n", 3), "", "", "", "")[:4]
    if operation not in {known.value for known in Operation}:
        return None
    base = {"destination": _destination(env, directory).__dict__}
    run = Run(identity, operation, mode, os.path.basename(directory), opened_at, base=base)
    journal.open_run(run)
    return run


def _destination(env: Mapping[str, str], directory: str) -> Destination:
    try:
        found = load(env, directory)
    except SettingError:
        return Destination()
    return Destination(found.account, found.org, found.project, found.workspace)


def killed(run: Run, how: str = "killed") -> NewEvent:
    """The end event of a run that nobody saw end. Raises nothing: `base` is what it opened with."""
    base: Mapping[str, Any] = run.base or {}
    event_id = str(uuid.uuid4())
    kind = activity_type(Operation(run.operation), _mode(run.mode))
    event = describe(
        Activity(EventType.FAILED, kind, "failure"),
        base.get("metadata", {}),
        {
            "tfevents_version": __version__,
            "event_id": event_id,
            "run_id": run.run_id,
            "directory": run.directory,
            "started_at": run.opened_at,
            "closed_at": now(),
            "interrupted": how,
            **base.get("data", {}),
        },
    )
    return NewEvent(event_id, run.run_id, Destination(**base.get("destination", {})), event.body())


def _mode(text: str) -> Mode:
    return Mode(text) if text in {known.value for known in Mode} else Mode.NORMAL

