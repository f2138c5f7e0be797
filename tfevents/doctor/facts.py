"""The facts that the doctor collects about a run that would begin here; none of them is secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class BinaryFacts(Struct, frozen=True):
    """The provisioner that would run. `version`: None where the binary does not report it.
    `problem`: why no binary can be run."""

    path: str | None = None
    version: str | None = None
    problem: str | None = None


class SettingFact(Struct, frozen=True):
    """One setting: its value as text, an API key without its secret, and where it came from."""

    name: str
    value: str
    source: str


class SettingsFacts(Struct, frozen=True):
    """The settings. `wrong`: a message for each that can't be used. `ignored`: a message for each
    settings file that sets more than it may. `missing`: the parts of the destination that are not
    set. `misspelt`: unread environment variable → the most similar setting. `disabled`: whether
    TFEVENTS_DISABLED switches reporting off."""

    found: tuple[SettingFact, ...] = ()
    wrong: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    has_key: bool = False
    misspelt: Mapping[str, str] = {}
    disabled: bool = False


class HomeFacts(Struct, frozen=True):
    """The home directory, which holds the journal. `problem`: why the journal can't be used."""

    path: str
    problem: str | None = None


class EndpointFacts(Struct, frozen=True):
    """The server. `asked`: whether a request was sent, which needs an API key and a complete
    destination. `problem`: why it would not accept events. `kind`: the class of that error in
    errors.py."""

    url: str
    asked: bool = False
    problem: str | None = None
    kind: str | None = None


class WaitingFacts(Struct, frozen=True):
    """The pending events. `oldest`: when the oldest was put into the journal (RFC 3339).
    `reasons`: why they are pending → number of events. `unowned`: how many lack an org, project
    or workspace."""

    number: int = 0
    oldest: str | None = None
    reasons: Mapping[str, int] = {}
    unowned: int = 0


class DoctorFacts(Struct, frozen=True):
    """All facts. `metadata`: what the next event would contain, by the contract's field names."""

    directory: str
    tf_workspace: str
    binary: BinaryFacts
    settings: SettingsFacts
    home: HomeFacts
    endpoint: EndpointFacts
    waiting: WaitingFacts
    metadata: Mapping[str, Any] = {}
