"""Whose an event is: what its run knew; else what its own directory says now; else what a person
says. Never what another run knows."""

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
"""Directories that one line names."""
NO_CHECKOUT = os.sep
"""Where settings are looked for whose directory nobody knows: no checkout is there."""


class Assignment(Struct, frozen=True):
    """What a person says. `directory`, `tf_workspace`: of which events, where there are others."""

    workspace: str
    org: str | None = None
    project: str | None = None
    directory: str | None = None
    tf_workspace: str | None = None

    def flags(self) -> dict[str, str | None]:
        """By the names of settings."""
        return {"workspace": self.workspace, "org": self.org, "project": self.project}


def find_destinations(
    journal: Journal, settings: Settings, env: Mapping[str, str], *, refused: bool = False
) -> dict[Queue, Destination]:
    """Each queue in which something waits → where it goes, as far as is known."""
    queues = journal.queues(refused=refused)
    return {queue: find_destination(queue, settings, env) for queue in queues}


def find_destination(queue: Queue, settings: Settings, env: Mapping[str, str]) -> Destination:
    """Where a queue goes. The account is the key's, where nobody has said another."""
    known = queue.destination
    if known.missing() and queue.directory and os.path.isdir(queue.directory):
        found = _load_directory_destination(queue.directory, queue.tf_workspace, env)
        if len({known.account, found.account} - {None}) < 2:
            known = known.filled(found)
    return known.filled(Destination(account=settings.account))


def _load_directory_destination(
    directory: str, tf_workspace: str | None, env: Mapping[str, str]
) -> Destination:
    """What the settings files say for a directory; the variables are another run's."""
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
    """Gives a person's word to the events that it is about; their ids.

    Raises SettingError where it is not clear which these are, or whose they are to be.
    """
    waiting = journal.unowned()
    if assignment.directory is None:  # then only what no file says
        queues = {event.queue for event in waiting}
        where = {queue: find_destination(queue, settings, env) for queue in queues}
        waiting = [e for e in waiting if e.given or lacks(where[e.queue])]
    events = _select_events(waiting, assignment)
    whose = {event.event_id: _resolve_destination(event, assignment, env) for event in events}
    if not journal.claim({event.queue for event in events}, owner):
        raise JournalUnavailable("another tfevents is sending these events")
    journal.assign(whose)
    return list(whose)


def _select_events(events: Sequence[StoredEvent], assignment: Assignment) -> list[StoredEvent]:
    """The events of one directory and one terraform workspace."""
    wanted = assignment.directory
    places = [_place(event) for event in events]
    if wanted is not None:
        here = (os.path.realpath(wanted), os.path.normpath(wanted))
        chosen = [e for e, place in zip(events, places, strict=True) if place in here]
    else:
        chosen = list(events)
    if not chosen:
        others = f": they wait for {_join_directories(places)}" if places else ""
        raise SettingError(
            f"--assign: no event waits for a workspace{_format_directory(wanted)}{others}"
        )
    if wanted is None and len(found := dict.fromkeys(places)) > 1:
        raise SettingError(
            f"--assign: events of several directories wait ({_join_directories(found)}):"
            " name one with --directory"
        )
    return _choose_workspace(chosen, assignment.tf_workspace)


def _format_directory(directory: str | None) -> str:
    return f" in {directory}" if directory else ""


def _choose_workspace(events: list[StoredEvent], wanted: str | None) -> list[StoredEvent]:
    found = dict.fromkeys(map(_tf_workspace, events))
    if wanted is None and len(found) > 1:
        raise SettingError(
            f"--assign: events of several terraform workspaces wait ({', '.join(found)}):"
            " name one with --tf-workspace"
        )
    chosen = [event for event in events if wanted in (None, _tf_workspace(event))]
    if not chosen:
        raise SettingError(
            f"--tf-workspace: no event waits for {wanted}, only for {', '.join(found)}"
        )
    return chosen


def _resolve_destination(
    event: StoredEvent, assignment: Assignment, env: Mapping[str, str]
) -> tuple[Destination, Sequence[str]]:
    """What its run knew stays; the rest is as if that run were this person's, in its directory.

    Raises SettingError.
    """
    known = replace(event.destination, **dict.fromkeys(event.given))
    named = _load(event, assignment, env)
    whose = known.filled(Destination(None, named.org, named.project, named.workspace))
    if lacking := lacks(whose):
        raise SettingError(f"--assign: which {lacking[0]}? name it with --{lacking[0]}")
    if whose.workspace != assignment.workspace:
        raise SettingError(
            f"--assign: these events are of workspace {whose.workspace}, and stay so: name that one"
        )
    return whose, lacks(known)


def _load(event: StoredEvent, assignment: Assignment, env: Mapping[str, str]) -> Settings:
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
    """A line for each thing that is not known of events that wait, with their directories."""
    places: dict[str, dict[str, None]] = {}
    for event in events:
        if lacking := lacks(destinations.get(event.queue, event.destination)):
            places.setdefault(_in_short(lacking), {})[_place(event)] = None
    more = (
        " --directory DIRECTORY" if len({p for found in places.values() for p in found}) > 1 else ""
    )
    return [
        f"no {what} for {_join_directories(found)}: {ASSIGN}{more}"
        for what, found in places.items()
    ]


def explain_waiting(event: StoredEvent) -> str:
    """Why an event was never tried; where nothing is known against it, what sends it."""
    lacking = lacks(event.destination)
    nowhere = f"no {_in_short(lacking)} for {_place(event)}" if lacking else None
    return "; ".join(filter(None, (event.reason, nowhere))) or UNTRIED


def _in_short(lacking: list[str]) -> str:
    """A workspace comes with all the rest."""
    return "workspace" if "workspace" in lacking else " and ".join(lacking)


def lacks(destination: Destination) -> list[str]:
    """What has to be known of a place; its account is the key's."""
    return [name for name in destination.missing() if name != "account"]


def _join_directories(places: Mapping[str, None] | Sequence[str]) -> str:
    found = list(dict.fromkeys(places))
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more


def _place(event: StoredEvent) -> str:
    """Its directory; in a journal of before, as the team knows it."""
    return event.directory or str((event.body.get("data") or {}).get("directory") or "?")


def _tf_workspace(event: StoredEvent) -> str:
    told = (event.body.get("data") or {}).get("tf_workspace")
    return event.tf_workspace or str(told or "default")
