"""Gathers the doctor's facts from the sources that a run uses.

These are the search path, the settings, git, CI, the journal and the server. No event is made, but
the journal is created if missing. The time limits are those of a run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from functools import partial

from msgspec.structs import replace

from tfevents.background import optional
from tfevents.context.origin import find_origin
from tfevents.deadline import Deadline
from tfevents.delivery.client import ApiClient
from tfevents.doctor.facts import (
    BinaryFacts,
    DoctorFacts,
    EndpointFacts,
    HomeFacts,
    SettingFact,
    SettingsFacts,
    WaitingFacts,
)
from tfevents.doctor.variables import find_misspelt
from tfevents.errors import JournalUnavailable, ProvisionerNotFound, TfeventsError
from tfevents.journal.fallback import find_other_journal
from tfevents.journal.history import find_reason
from tfevents.journal.journal import Journal, open_journal
from tfevents.journal.models import Destination, StoredEvent
from tfevents.journal.ownership import find_missing_fields
from tfevents.settings.environment import find_provisioner, is_disabled
from tfevents.settings.load import gather_settings
from tfevents.settings.model import Settings
from tfevents.terraform.binary import NotExecutable, find_binary
from tfevents.terraform.client import TerraformClient, Version
from tfevents.terraform.workdir import WorkingDirectory

ALWAYS_SHOWN = ("url", "api_path", "api_key", "account", "org", "project", "workspace", "home")
"""Settings that say where events go: always shown. The others are shown only where set."""
DEFAULT_SOURCE = "default"
MOST_REASONS = 5


def gather_facts(directory: str, env: Mapping[str, str], program: str) -> DoctorFacts:
    """All facts about a run in `directory`. `program`: argv[0], never taken for terraform."""
    tf_workspace = WorkingDirectory(directory, env).tf_workspace
    settings, wrong = gather_settings(env, directory, tf_workspace=tf_workspace)
    messages = tuple(map(str, wrong))
    home, waiting = _inspect_journals(settings.home)
    binary = find_binary_facts(directory, env, program)
    origin = optional(partial(find_origin, directory, env), "origin")
    return DoctorFacts(
        directory=directory,
        tf_workspace=tf_workspace,
        binary=binary,
        settings=describe_settings(settings, messages, env),
        home=home,
        endpoint=EndpointFacts(settings.url) if wrong else check_endpoint(settings),
        waiting=waiting,
        metadata={**(origin.metadata if origin else {}), **_describe_provisioner(binary)},
    )


def find_binary_facts(directory: str, env: Mapping[str, str], program: str) -> BinaryFacts:
    """The provisioner that would run in `directory`, or why none can."""
    try:
        path = find_binary(env, program, find_provisioner(env), directory)
    except (ProvisionerNotFound, NotExecutable) as error:
        return BinaryFacts(problem=str(error))
    version = TerraformClient(path, (f"-chdir={directory}",), env).find_version()
    return BinaryFacts(path, f"{version.product} {version.number}" if version else None)


def _describe_provisioner(binary: BinaryFacts) -> Mapping[str, str]:
    product, _, number = (binary.version or "").partition(" ")
    return Version(product, number).metadata() if number else {}


def describe_settings(
    settings: Settings, wrong: tuple[str, ...], env: Mapping[str, str]
) -> SettingsFacts:
    """Each setting with its source, an API key without its secret. `wrong`: error messages."""
    found = []
    for name in dict.fromkeys((*ALWAYS_SHOWN, *settings.sources)):
        source = settings.sources.get(name, DEFAULT_SOURCE)
        value = getattr(settings, name, None)
        if value is not None and (name in ALWAYS_SHOWN or source != DEFAULT_SOURCE):
            found.append(SettingFact(name, _format_value(value), source))
    destination = Destination.of(settings)
    missing = [name for name in destination.missing() if settings.api_key or name != "account"]
    return SettingsFacts(
        tuple(found),
        wrong,
        settings.notes,
        tuple(missing),
        has_key=settings.api_key is not None,
        misspelt=find_misspelt(env),
        disabled=is_disabled(env),
    )


def _format_value(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def check_endpoint(settings: Settings) -> EndpointFacts:
    """Asks the server whether it accepts events with this API key for this workspace.

    No event is made. Without an API key or a complete destination the server is not asked.
    """
    destination = Destination.of(settings)
    if settings.api_key is None or destination.missing():
        return EndpointFacts(settings.url)
    try:
        client = ApiClient(settings)
        client.check_access(destination, Deadline(settings.timeout))
    except TfeventsError as error:
        kind = type(error).__name__
        return EndpointFacts(settings.url, asked=True, problem=str(error), kind=kind)
    return EndpointFacts(settings.url, asked=True)


def _inspect_journals(home: str) -> tuple[HomeFacts, WaitingFacts]:
    """The journal under `home`, created if missing, and its and the fallback journal's events."""
    waiting: list[StoredEvent] = []
    problem = None
    try:
        waiting += _list_waiting(open_journal(home))
    except JournalUnavailable as error:
        problem = str(error)
    with suppress(JournalUnavailable):
        if fallback := find_other_journal(home):
            waiting += _list_waiting(fallback)
    return HomeFacts(home, problem), _summarise_waiting(waiting)


def _list_waiting(journal: Journal) -> list[StoredEvent]:
    """The journal's pending events, each with its reason. Closes the journal."""
    with closing(journal):
        return [
            replace(event, reason=find_reason(journal, event))
            for queue in journal.find_queues()
            for event in journal.find_unsent_events(queue)
        ]


def _summarise_waiting(events: Sequence[StoredEvent]) -> WaitingFacts:
    """The pending events that `tfevents flush` would send."""
    reasons = Counter(event.reason or "not known" for event in events)
    return WaitingFacts(
        len(events),
        min((event.put_at for event in events), default=None),
        dict(reasons.most_common(MOST_REASONS)),
        sum(bool(find_missing_fields(event.destination)) for event in events),
    )
