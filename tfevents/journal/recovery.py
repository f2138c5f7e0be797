"""Closes abandoned runs: puts an end event (failed, killed) and removes their folders."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing, nullcontext, suppress
from typing import Any
from uuid import uuid4

from msgspec.structs import asdict

from tfevents import __version__, files
from tfevents.context import ci
from tfevents.context.origin import make_relative
from tfevents.errors import JournalUnavailable
from tfevents.events.body import build_event
from tfevents.events.model import Activity, EventType, Operation
from tfevents.events.table import activity_type
from tfevents.journal import abandoned
from tfevents.journal.abandoned import AbandonedRun
from tfevents.journal.fallback import find_other_journal, merge_fallback
from tfevents.journal.fallback_home import list_homes
from tfevents.journal.journal import Journal
from tfevents.journal.models import Destination, NewEvent, Run, locate, now
from tfevents.settings.environment import identifiers
from tfevents.settings.load import gather_settings
from tfevents.terraform.arguments import Mode
from tfevents.terraform.workdir import find_unit_directory

ABANDONED_HOOK_SECONDS = 86400
"""The age, in seconds, at which an open run of a hook counts as abandoned: no lock shows whether
its terraform still runs."""


def recover_abandoned(journal: Journal, env: Mapping[str, str], excluded_run_id: str = "") -> int:
    """Closes abandoned runs and merges the fallback journal; returns how many runs were closed.

    Looks in the journal's home and in the fallback home, and closes each run in the journal that
    has it. A run that can't be written now stays for the next call. `excluded_run_id`: the run
    that is being reported, which is not closed here, though a hook's may be a day old.
    """
    other = find_other_journal(journal.home)
    with closing(other) if other else nullcontext():
        closed = _close_all([journal, other] if other else [journal], env, excluded_run_id)
    merge_fallback(journal)
    return closed


def _close_all(journals: Sequence[Journal], env: Mapping[str, str], excluded_run_id: str) -> int:
    """Closes the abandoned runs of these journals as `recover_abandoned`; returns how many."""
    closed = 0
    for identity in _find_abandoned_hook_runs(journals) - {excluded_run_id}:
        with suppress(JournalUnavailable):
            closed += end_as_failed(journals, identity)
    for home in list_homes(journals[0].home):
        for identity in abandoned.find_abandoned(home):
            with suppress(JournalUnavailable), AbandonedRun(home, identity) as folder:
                if folder:
                    closed += _close_run(journals, identity, folder, env)
    return closed


def _find_abandoned_hook_runs(journals: Sequence[Journal]) -> set[str]:
    """The ids of hooks' runs that have been open for a day: such runs have no process to check."""
    oldest = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - ABANDONED_HOOK_SECONDS))
    runs = [run for journal in journals for run in journal.find_open_hook_runs()]
    return {run.run_id for run in runs if run.opened_at < oldest}


def _close_run(
    journals: Sequence[Journal], identity: str, folder: str, env: Mapping[str, str]
) -> bool:
    """Closes one abandoned run; restores it from its note in the first journal if none has it."""
    if not any(journal.find_run(identity) for journal in journals):
        _restore_run_from_note(journals[0], identity, folder, env)
    return end_as_failed(journals, identity)


def end_as_failed(
    journals: Sequence[Journal], run_id: str, interrupted: str | None = "killed"
) -> bool:
    """Ends a run with a failed event, in the first journal that has the run.

    `interrupted`: `data.interrupted` of the end event. False where a journal has the run's end, or
    none has the run. Raises JournalUnavailable.
    """
    found = [(journal, run) for journal in journals if (run := journal.find_run(run_id))]
    if not found or any(run.ended_at for _, run in found):
        return False
    journal, run = found[0]
    return journal.end_run(run_id, None, [make_killed_event(run, interrupted)])


def _restore_run_from_note(
    journal: Journal, identity: str, folder: str, env: Mapping[str, str]
) -> None:
    """Opens a run that was killed before it was in the journal, from its note.

    Does nothing where the note names no operation that is reported.
    """
    note = abandoned.read_note(folder)
    directory = find_unit_directory(note.get("directory", ""), note)
    mode = _parse_mode(note.get("mode", ""))
    command = operation = note.get("operation", "")
    if operation not in {known.value for known in Operation}:
        return
    if operation == "apply" and mode is Mode.DESTROY:
        operation = Operation.DESTROY.value
    run = Run(
        run_id=identity,
        operation=operation,
        mode=mode.value,
        directory=make_relative(directory, files.find_root(directory, env, is_ci=ci.is_ci(env))),
        opened_at=note.get("opened_at", now()),
        command=command,
        base={
            "destination": asdict(_restore_destination(env, note, directory)),
            "directory": locate(directory) if directory else None,
            "data": {"tf_workspace": note.get("tf_workspace")},
        },
    )
    journal.open_run(run)


def _restore_destination(
    env: Mapping[str, str], note: Mapping[str, str], directory: str
) -> Destination:
    """The destination by the variables in the run's note and the settings of its directory.

    Our own environment gives only the API key, and with it the account.
    """
    kept = {name: value for name, value in env.items() if name not in identifiers(env)}
    tf_workspace = note.get("tf_workspace") or "default"
    found, _ = gather_settings({**kept, **identifiers(note)}, directory, tf_workspace=tf_workspace)
    return Destination.of(found)


def make_killed_event(run: Run, interrupted: str | None) -> NewEvent:
    """The end event of an abandoned run, from the `base` that the run was opened with.

    `interrupted`: `data.interrupted` of the event.
    """
    base: Mapping[str, Any] = run.base or {}
    event_id = str(uuid4())
    known = run.operation in {operation.value for operation in Operation}
    kind = activity_type(Operation(run.operation), _parse_mode(run.mode)) if known else None
    event = build_event(
        Activity(EventType.FAILED, kind, "failure"),
        base.get("metadata", {}),
        {
            "tfevents_version": __version__,
            "event_id": event_id,
            "run_id": run.run_id,
            "directory": run.directory,
            "started_at": run.opened_at,
            "closed_at": now(),
            "interrupted": interrupted,
            **base.get("data", {}),
        },
    )
    return NewEvent(
        event_id,
        run.run_id,
        Destination(**base.get("destination", {})),
        event.body(),
        directory=base.get("directory"),
        tf_workspace=base.get("data", {}).get("tf_workspace"),
        reason=base.get("waits"),
    )


def _parse_mode(text: str) -> Mode:
    return Mode(text) if text in {known.value for known in Mode} else Mode.NORMAL
