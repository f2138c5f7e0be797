"""Sends the events of an execution's runs that were closed as failed, whatever their directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing

from tfevents.deadline import Deadline
from tfevents.delivery.result import NO_KEY, OUT_OF_TIME
from tfevents.delivery.sender import FlushState, Sender
from tfevents.errors import TfeventsError
from tfevents.journal.fallback import describe_older_journal
from tfevents.journal.journal import Journal
from tfevents.journal.models import Destination, Queue, Run, Status, own_queues
from tfevents.journal.run_lock import hold_lock
from tfevents.reporting.reporter import ReportResult
from tfevents.settings.load import gather_settings
from tfevents.settings.model import Settings
from tfevents.terminal import printable


def send_failed_runs(
    journals: Sequence[Journal], runs: Sequence[Run], directory: str, env: Mapping[str, str]
) -> ReportResult:
    """Sends the pending events of these runs to the destinations that the runs were opened with.

    `journals`: home's, and the fallback journal if its events could not be moved. `directory`:
    whose settings have the API key.
    """
    settings, wrong = gather_settings(env, directory)
    try:
        reason = str(wrong[0]) if wrong else _send(journals, runs, settings)
        kept = [run for run in runs if not _is_delivered(journals, run)]
    except TfeventsError as error:
        reason, kept = str(error), list(runs)
    if not kept:
        return ReportResult(None, True)
    line = f"{len(kept)} of {len(runs)} failed runs not delivered: {reason}"
    return ReportResult(printable(line), False)


def _send(journals: Sequence[Journal], runs: Sequence[Run], settings: Settings) -> str:
    """Sends the events; returns the reason for any that was not delivered.

    A queue with older events in the fallback journal is left out: they must be sent first.
    """
    if settings.api_key is None:
        return f"{NO_KEY} (see: tfevents log)"
    journal, *others = journals
    queues = {q: d for run in runs for q, d in _find_queues(run, settings).items()}
    for other in others:
        if any(other.find_unsent_events(queue) for queue in queues):
            return describe_older_journal(other)
    state = FlushState(Deadline(settings.timeout), wait_for_claims=True)
    with (
        hold_lock(journal.home) as lock,
        closing(Sender(journal, settings, lock.identity)) as sender,
    ):
        return sender.flush(queues, state).reason or OUT_OF_TIME


def _find_queues(run: Run, settings: Settings) -> dict[Queue, Destination]:
    """The queues of a run's events. An account that was unknown is taken from the settings."""
    base = run.base or {}
    destination = Destination(**base.get("destination", {}))
    destination = destination.filled(Destination(account=settings.account))
    tf_workspace = base.get("data", {}).get("tf_workspace")
    return own_queues(destination, base.get("directory"), tf_workspace)


def _is_delivered(journals: Sequence[Journal], run: Run) -> bool:
    """Whether the run's last event was delivered, in each journal that has events of the run."""
    events = [event for journal in journals for event in journal.find_events(1, run.run_id)]
    return bool(events) and all(event.status is Status.DELIVERED for event in events)
