"""Finds the destination of an event whose run did not know it completely.

The run's own knowledge comes first, then the settings of its directory as they are now, then what
a person assigns. What another run knows is never used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tfevents.errors import JournalUnavailable, SettingError
from tfevents.journal.journal import Journal
from tfevents.journal.models import Destination, Queue, StoredEvent
from tfevents.settings.environment import HARNESS_NAMES, PREFIX
from tfevents.settings.load import gather_settings, load_settings
from tfevents.settings.model import Settings

ASSIGN = "tfevents flush --assign WORKSPACE"
UNTRIED = "not tried yet: the next run of its workspace sends it, or tfevents flush"
SHOWN = 5
"""The most directories that one line names."""
NO_CHECKOUT = os.sep
"""Stands for an unknown directory when settings are read: it is in no checkout."""


class Assignment(Struct, frozen=True):
    """A destination that a person gives to events (`tfevents flush --assign`).

    `directory`, `tf_workspace`: select the events; None: those that wait must have only one.
    """

    workspace: str
    org: str | None = None
    project: str | None = None
    directory: str | None = None
    tf_workspace: str | None = None

    def flags(self) -> dict[str, str | None]:
        """The destination by the names of settings, as command line options."""
        return {"workspace": self.workspace, "org": self.org, "project": self.project}


def find_destinations(
    journal: Journal, settings: Settings, env: Mapping[str, str], *, refused: bool = False
) -> dict[Queue, Destination]:
    """Each queue with events to send → its destination, as far as known."""
    queues = journal.find_queues(refused=refused)
    return {queue: find_destination(queue, settings, env) for queue in queues}


def find_destination(queue: Queue, settings: Settings, env: Mapping[str, str]) -> Destination:
    """The destination of a queue, as far as known.

    The settings files of the queue's directory complete it, unless they name another account. The
    account defaults to that of `settings`.
    """
    known = queue.destination
    if known.missing() and queue.directory and os.path.isdir(queue.directory):
        found = _load_directory_destination(queue.directory, queue.tf_workspace, env)
        if len({known.account, found.account} - {None}) < 2:
            known = known.filled(found)
    return known.filled(Destination(account=settings.account))


def _load_directory_destination(
    directory: str, tf_workspace: str | None, env: Mapping[str, str]
) -> Destination:
    """The destination in the settings files of a directory.

    Environment variables that set a destination are ignored: they are another run's.
    """
    others = {name for names in HARNESS_NAMES.values() for name in names}
    kept = {n: v for n, v in env.items() if n not in others and not n.startswith(PREFIX)}
    found, _ = gather_settings(kept, directory, tf_workspace=tf_workspace or "default")
    named = found.sources.get("account", "default") != "default"
    account = found.account if named else None
    return Destination(account, found.org, found.project, found.workspace)


def assign(
    journal: Journal,
    assignment: Assignment,
    settings: Settings,
    env: Mapping[str, str],
    owner: str,
) -> list[str]:
    """Assigns a destination to the selected of `Journal.find_unowned`; returns the events' ids.

    `owner`: the identity that claims their queues. Raises SettingError where the events or the
    destination are ambiguous, and JournalUnavailable where another process is sending them.
    """
    waiting = journal.find_unowned()
    if assignment.directory is None:  # only events that no settings file gives a destination
        queues = {event.queue for event in waiting}
        where = {queue: find_destination(queue, settings, env) for queue in queues}
        waiting = [e for e in waiting if e.given or find_missing_fields(where[e.queue])]
    events = _select_events(waiting, assignment)
    destinations = {
        event.event_id: _resolve_destination(event, assignment, env) for event in events
    }
    if not journal.claim({event.queue for event in events}, owner):
        raise JournalUnavailable("another tfevents is sending these events")
    journal.assign(destinations)
    return list(destinations)


def _select_events(events: Sequence[StoredEvent], assignment: Assignment) -> list[StoredEvent]:
    """The events of one directory and one terraform workspace. Raises SettingError."""
    wanted = assignment.directory
    directories = [_find_directory(event) for event in events]
    if wanted is not None:
        paths = (os.path.realpath(wanted), os.path.normpath(wanted))
        chosen = [e for e, found in zip(events, directories, strict=True) if found in paths]
    else:
        chosen = list(events)
    if not chosen:
        others = f": they wait for {_join_directories(directories)}" if directories else ""
        raise SettingError(
            f"--assign: no event waits for a workspace{_format_directory(wanted)}{others}"
        )
    if wanted is None and len(found := dict.fromkeys(directories)) > 1:
        raise SettingError(
            f"--assign: events of several directories wait ({_join_directories(found)}):"
            " name one with --directory"
        )
    return _choose_workspace(chosen, assignment.tf_workspace)


def _format_directory(directory: str | None) -> str:
    return f" in {directory}" if directory else ""


def _choose_workspace(events: list[StoredEvent], wanted: str | None) -> list[StoredEvent]:
    found = dict.fromkeys(map(_find_tf_workspace, events))
    if wanted is None and len(found) > 1:
        raise SettingError(
            f"--assign: events of several terraform workspaces wait ({', '.join(found)}):"
            " name one with --tf-workspace"
        )
    chosen = [event for event in events if wanted in (None, _find_tf_workspace(event))]
    if not chosen:
        raise SettingError(
            f"--tf-workspace: no event waits for {wanted}, only for {', '.join(found)}"
        )
    return chosen


def _resolve_destination(
    event: StoredEvent, assignment: Assignment, env: Mapping[str, str]
) -> tuple[Destination, Sequence[str]]:
    """The destination of an assigned event, and the fields that its run did not know.

    The fields that the run knew stay. The others are those of the settings that a run with these
    environment variables and the assignment's options would have in the event's directory. Raises
    SettingError.
    """
    known = replace(event.destination, **dict.fromkeys(event.given))
    named = _load_settings(event, assignment, env)
    destination = known.filled(Destination(None, named.org, named.project, named.workspace))
    if lacking := find_missing_fields(destination):
        raise SettingError(f"--assign: which {lacking[0]}? name it with --{lacking[0]}")
    if destination.workspace != assignment.workspace:
        raise SettingError(
            f"--assign: these events are of workspace {destination.workspace}, and stay so:"
            " name that one"
        )
    return destination, find_missing_fields(known)


def _load_settings(event: StoredEvent, assignment: Assignment, env: Mapping[str, str]) -> Settings:
    where, tf_workspace = event.directory or NO_CHECKOUT, event.tf_workspace or "default"
    if not assignment.workspace.strip():
        raise SettingError("--assign: which workspace? it is empty")
    try:
        return load_settings(env, where, tf_workspace=tf_workspace, flags=assignment.flags())
    except SettingError as error:
        raise SettingError(str(error).replace("--workspace:", "--assign:", 1)) from None


def describe_unowned(
    events: Sequence[StoredEvent], destinations: Mapping[Queue, Destination]
) -> list[str]:
    """A line for each missing field of pending events' destinations, with their directories."""
    places: dict[str, dict[str, None]] = {}
    for event in events:
        if lacking := find_missing_fields(destinations.get(event.queue, event.destination)):
            places.setdefault(_summarise_fields(lacking), {})[_find_directory(event)] = None
    more = (
        " --directory DIRECTORY" if len({p for found in places.values() for p in found}) > 1 else ""
    )
    return [
        f"no {what} for {_join_directories(found)}: {ASSIGN}{more}"
        for what, found in places.items()
    ]


def explain_waiting(event: StoredEvent) -> str:
    """Why an event was never tried; where nothing prevents it, which commands send it."""
    lacking = find_missing_fields(event.destination)
    nowhere = f"no {_summarise_fields(lacking)} for {_find_directory(event)}" if lacking else None
    return "; ".join(filter(None, (event.reason, nowhere))) or UNTRIED


def _summarise_fields(lacking: list[str]) -> str:
    """The missing fields in words; `workspace` stands for all others."""
    return "workspace" if "workspace" in lacking else " and ".join(lacking)


def find_missing_fields(destination: Destination) -> list[str]:
    """The unknown fields of a destination except the account, which the API key gives."""
    return [name for name in destination.missing() if name != "account"]


def _join_directories(directories: Mapping[str, None] | Sequence[str]) -> str:
    found = list(dict.fromkeys(directories))
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more


def _find_directory(event: StoredEvent) -> str:
    """An event's directory; for events of version 0, the one in the event's body, else `?`."""
    return event.directory or str((event.body.get("data") or {}).get("directory") or "?")


def _find_tf_workspace(event: StoredEvent) -> str:
    told = (event.body.get("data") or {}).get("tf_workspace")
    return event.tf_workspace or str(told or "default")
