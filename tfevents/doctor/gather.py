"""Gathers the doctor's facts from the sources that a run uses.

These are the search path, the settings, git, CI, the journal and the server. No event is made, and
the time limits are those of a run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

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
from tfevents.journal.history import find_reason
from tfevents.journal.journal import Journal, open_journal
from tfevents.journal.models import Destination
from tfevents.journal.ownership import find_missing_fields
from tfevents.settings.environment import find_provisioner, is_disabled
from tfevents.settings.load import gather_settings
from tfevents.settings.model import Settings
from tfevents.terraform.binary import NotExecutable, find_binary
from tfevents.terraform.client import TerraformClient
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
    home, waiting = _inspect_journal(settings.home)
    binary = find_binary_facts(directory, env, program)
    origin = optional(_OriginFinder(directory, env), "origin")
    return DoctorFacts(
        directory=directory,
        tf_workspace=tf_workspace,
        binary=binary,
        settings=describe_settings(settings, messages, env),
        home=home,
        endpoint=EndpointFacts(settings.url) if wrong else check_endpoint(settings),
        waiting=waiting,
        metadata={**(origin or {}), **_describe_provisioner(binary)},
    )


class _OriginFinder:
    """Finds the metadata from git and CI, as a run does; callable without arguments."""

    def __init__(self, directory: str, env: Mapping[str, str]) -> None:
        self.directory, self.env = directory, env

    def __call__(self) -> Mapping[str, Any]:
        return find_origin(self.directory, self.env).metadata


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
    name = "opentofu" if product == "OpenTofu" else "terraform"
    return {"provisioner": name, "provisioner_version": number} if number else {}


def describe_settings(
    settings: Settings, wrong: tuple[str, ...], env: Mapping[str, str]
) -> SettingsFacts:
    """Each setting with its source, an API key without its secret. `wrong`: error messages."""
    found = []
    for name in dict.fromkeys((*ALWAYS_SHOWN, *settings.sources)):
        source = settings.sources.get(name, DEFAULT_SOURCE)
        value = getattr(settings, "budget" if name == "timeout" else name, None)
        if value is not None and (name in ALWAYS_SHOWN or source != DEFAULT_SOURCE):
            found.append(SettingFact(name, _format_value(value), source))
    destination = Destination(settings.account, settings.org, settings.project, settings.workspace)
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
    destination = Destination(settings.account, settings.org, settings.project, settings.workspace)
    if settings.api_key is None or destination.missing():
        return EndpointFacts(settings.url)
    try:
        client = ApiClient(settings)
        client.check_access(destination, Deadline(settings.budget))
    except TfeventsError as error:
        kind = type(error).__name__
        return EndpointFacts(settings.url, asked=True, problem=str(error), kind=kind)
    return EndpointFacts(settings.url, asked=True)


def _inspect_journal(home: str) -> tuple[HomeFacts, WaitingFacts]:
    try:
        journal = open_journal(home)
        return HomeFacts(home), describe_waiting(journal)
    except JournalUnavailable as error:
        return HomeFacts(home, str(error)), WaitingFacts()


def describe_waiting(journal: Journal) -> WaitingFacts:
    """The pending events that `tfevents flush` would send. Raises JournalUnavailable."""
    waiting = [event for queue in journal.queues() for event in journal.waiting(queue)]
    reasons = Counter(find_reason(journal, event) or "not known" for event in waiting)
    return WaitingFacts(
        len(waiting),
        min((event.put_at for event in waiting), default=None),
        dict(reasons.most_common(MOST_REASONS)),
        sum(bool(find_missing_fields(event.destination)) for event in waiting),
    )
