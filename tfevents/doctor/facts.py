"""What was found out about a run that would begin here. Nothing of it is secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class BinaryFacts(Struct, frozen=True):
    """The terraform that would run. `version` is None where it does not say; `problem` in words,
    where there is none to run."""

    path: str | None = None
    version: str | None = None
    problem: str | None = None


class SettingFact(Struct, frozen=True):
    """One setting: its text, a key's but for its secret, and where it came from."""

    name: str
    value: str
    source: str


class SettingsFacts(Struct, frozen=True):
    """`wrong`: settings that can't be used; `ignored`: what a checkout's file may not say;
    `missing`: which parts of a destination nobody names; `misspelt`: variables that nobody reads,
    and the setting that each is most like; `disabled`: nothing at all is reported."""

    found: tuple[SettingFact, ...] = ()
    wrong: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    has_key: bool = False
    misspelt: Mapping[str, str] = {}
    disabled: bool = False


class HomeFacts(Struct, frozen=True):
    """Where the journal is. `problem`: why it can't be used."""

    path: str
    problem: str | None = None


class EndpointFacts(Struct, frozen=True):
    """The server. `asked`: whether it was, which takes a key and a whole destination. `kind`: the
    sort of `problem`, as errors.py names it."""

    url: str
    asked: bool = False
    problem: str | None = None
    kind: str | None = None


class WaitingFacts(Struct, frozen=True):
    """How many events wait, since when (RFC 3339), and why: reasons and for how many each holds.
    `unowned`: how many belong to no workspace."""

    number: int = 0
    oldest: str | None = None
    reasons: Mapping[str, int] = {}
    unowned: int = 0


class DoctorFacts(Struct, frozen=True):
    """All of it. `metadata`: what the next event would say, by the contract's names."""

    directory: str
    tf_workspace: str
    binary: BinaryFacts
    settings: SettingsFacts
    home: HomeFacts
    endpoint: EndpointFacts
    waiting: WaitingFacts
    metadata: Mapping[str, Any] = {}
