"""Makes and sends a single event: for the commands `send` and `stage-complete`, and for stages."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import closing, suppress
from typing import Any

from msgspec import Struct

from tfevents import __version__
from tfevents.context.origin import find_origin
from tfevents.context.overrides import METADATA_PREFIX, parse_overrides
from tfevents.deadline import Deadline
from tfevents.delivery.result import NO_KEY, OUT_OF_TIME, describe_missing
from tfevents.delivery.sender import FlushState, Sender
from tfevents.errors import InvalidEvent, JournalUnavailable, SettingError
from tfevents.events.body import LARGEST_EVENT, build_whole_event
from tfevents.events.model import Activity, Event, EventType
from tfevents.events.schema import check_event, metadata_fields
from tfevents.journal import recovery
from tfevents.journal.fallback import open_fallback
from tfevents.journal.journal import Journal, open_journal
from tfevents.journal.models import Destination, NewEvent, Status, locate, own_queues
from tfevents.journal.run_lock import hold_lock
from tfevents.reporting.summary import describe_delivery
from tfevents.settings.load import gather_settings
from tfevents.settings.model import Settings
from tfevents.terraform.workdir import WorkingDirectory, find_unit_directory


class ManualEvent(Struct, frozen=True):
    """The event to send. `metadata`: the contract's fields, as text. `data`: fields in addition to
    tfevents' own, which take precedence (except `directory`)."""

    event_type: str
    metadata: Mapping[str, str] = {}
    data: Mapping[str, str] = {}


class ManualEventResult(Struct, frozen=True):
    """What became of the event. `line`: the line to show; `strict`: the setting of that name."""

    line: str
    delivered: bool
    strict: bool


def send_manual_event(
    manual_event: ManualEvent,
    directory: str,
    env: Mapping[str, str],
    flags: Mapping[str, str | None],
    *,
    lenient: bool = False,
) -> ManualEventResult:
    """Puts the event into the journal, then sends it, within the time that the settings allow.

    Raises SettingError and InvalidEvent, both before anything is put into the journal; and
    JournalUnavailable. `lenient`: with an invalid setting the event stays in the journal instead.
    """
    tf_workspace = WorkingDirectory(directory, env).tf_workspace
    directory = find_unit_directory(directory, env)
    settings, wrong = gather_settings(env, directory, tf_workspace=tf_workspace, flags=flags)
    if wrong and not lenient:
        raise wrong[0]
    wrong_setting = str(wrong[0]) if wrong else None
    event_id = str(uuid.uuid4())
    event = _make_event(
        manual_event, directory, env, {"event_id": event_id, "tf_workspace": tf_workspace}
    )
    journal, problem = _open(settings.home)
    with hold_lock(journal.home) as lock:
        new_event = NewEvent(
            event_id,
            lock.identity,
            Destination.of(settings),
            event.body(),
            directory=locate(directory),
            tf_workspace=tf_workspace,
            reason=wrong_setting or (None if settings.api_key else NO_KEY),
        )
        journal.put(new_event)
        recovery.recover_abandoned(journal, env)
        problem += _prune(journal)
        reason = wrong_setting or _deliver(journal, settings, new_event)
        (entry,) = journal.find_events(1, new_event.run_id)
    delivery = describe_delivery(entry, (entry.reason if entry.attempts else None) or reason)
    line = f"{event.event_type}{delivery}{problem}"
    line = "; ".join([line, *settings.notes])
    return ManualEventResult(line, entry.status is Status.DELIVERED, settings.strict)


def _make_event(
    manual_event: ManualEvent, directory: str, env: Mapping[str, str], own: Mapping[str, str]
) -> Event:
    """The event, with the facts of its origin as every event has them.

    Raises InvalidEvent, SettingError.
    """
    fields = metadata_fields()
    texts = [*manual_event.metadata.values(), *manual_event.data.values()]
    if sum(len(text.encode(errors="replace")) for text in texts) > LARGEST_EVENT:
        raise InvalidEvent(f"the event is too large: at most {LARGEST_EVENT} bytes")
    origin = find_origin(directory, env)
    directory_field = {} if "directory" in manual_event.data else {"directory": origin.directory}
    event = build_whole_event(
        Activity(EventType(manual_event.event_type)),
        {
            **origin.metadata,
            **parse_overrides(env, fields),
            **_parse_metadata(manual_event.metadata, fields),
        },
        {**directory_field, "tfevents_version": __version__, **own},
        user_data=manual_event.data,
    )
    check_event(event.body())
    if event.size > LARGEST_EVENT:  # many small fields: their names count, too
        raise InvalidEvent(f"the event is too large: at most {LARGEST_EVENT} bytes")
    return event


def _parse_metadata(metadata: Mapping[str, str], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata fields, parsed as those of TFEVENTS_METADATA_<FIELD>; None for an empty text,
    which leaves the field out of the event. Raises SettingError."""
    known = {name.upper(): name for name in fields}
    for name in metadata:
        if name.upper() not in known:
            raise SettingError(f"--metadata {name}: the contract has no such metadata field")
    empty = {known[name.upper()]: None for name, text in metadata.items() if not text.strip()}
    variables = {METADATA_PREFIX + name.upper(): text for name, text in metadata.items()}
    try:
        return {**empty, **parse_overrides(variables, fields)}
    except SettingError as error:
        raise SettingError(str(error).replace(METADATA_PREFIX, "--metadata ")) from None


def _open(home: str) -> tuple[Journal, str]:
    """The journal and "", or the fallback journal and why it is used, to be appended to the line.

    Raises JournalUnavailable if there is neither.
    """
    try:
        return open_journal(home), ""
    except JournalUnavailable as error:
        return open_fallback(), f"; {error}"


def _prune(journal: Journal) -> str:
    """Deletes events beyond the limits; gives what to append to the line if undelivered ones are
    lost, else ""."""
    with suppress(JournalUnavailable):
        if lost := journal.prune():
            return f"; {lost} undelivered events were too many to keep"
    return ""


def _deliver(journal: Journal, settings: Settings, new_event: NewEvent) -> str:
    """Sends the event, if there are a key and a destination; gives the reason to show if it was not
    delivered."""
    if settings.api_key is None:
        return f"{NO_KEY} (see: tfevents log)"
    if missing := new_event.destination.missing():
        return describe_missing(missing)
    queues = own_queues(new_event.destination, new_event.directory, new_event.tf_workspace)
    state = FlushState(Deadline(settings.timeout), wait_for_claims=True)
    with closing(Sender(journal, settings, new_event.run_id)) as sender:
        return sender.flush(queues, state).reason or OUT_OF_TIME
