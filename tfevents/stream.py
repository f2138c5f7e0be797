"""OpenTofu's `-json-into` stream → what was planned, asked and done (semantics §1.4)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tfevents.approval import Approval
from tfevents.counts import Counts, tally
from tfevents.state import State

SUMMED = {"add": "added", "change": "changed", "remove": "deleted", "import": "imported"}
HOOKS = {"create": "added", "update": "changed", "delete": "deleted"}
OUTPUTS = {"create": "added", "update": "changed", "delete": "deleted"}
FORGOT = "Destroy was successful but left behind forgotten instances"
ASKING = "error asking for approval: "


@dataclass(frozen=True)
class Stream:
    """One run as it told itself. Addresses are kept to compare with the state, and go no further.

    `summaries`: the numbers by operation (plan, apply, destroy). `hooks`: what was completed.
    """

    planned: Mapping[str, str] = field(default_factory=dict)
    importing: frozenset[str] = frozenset()
    summaries: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    hooks: Counts = field(default_factory=Counts)
    outputs: Mapping[str, str] = field(default_factory=dict)
    drifted: int = 0
    version: str | None = None
    approval: Approval | None = None
    applied: bool = False
    forgot: bool = False

    @property
    def has_changes(self) -> bool:
        """Whether there was something to apply."""
        return bool(self.planned) or any(a not in ("noop", "") for a in self.outputs.values())

    @property
    def finished(self) -> bool:
        """Whether it came to its end: with its numbers, or with the one error that is none."""
        return bool(self.summaries.keys() & {"apply", "destroy"}) or self.forgot

    def planned_counts(self) -> Counts:
        """What was to be done; `unchanged` is not told."""
        summary = self.summaries.get("plan", {})
        return Counts(
            **{name: summary.get(key, 0) for key, name in SUMMED.items()},
            removed=summary.get("forget", 0),
        )

    def done(self, after: State | None) -> Counts | None:
        """What was done; None where only a state could tell and there is none to trust."""
        if after is None:
            return None
        summary = self.summaries.get("apply") or self.summaries.get("destroy")
        done = Counts(**{n: summary.get(k, 0) for k, n in SUMMED.items()}) if summary else None
        held = {address for address, deposed in after.objects if deposed is None}
        counts = (done or self.hooks).as_json()
        return Counts(
            **{
                **counts,
                "imported": counts["imported"] if done else len(self.importing & held),
                "removed": self._forgotten(held),
                "unchanged": len(held - self.planned.keys()),
            }
        )

    def _forgotten(self, held: set[str]) -> int:
        """From the plan, never from the apply: it does not count one that is made anew."""
        planned = self.planned_counts().removed
        left = sum(action == "remove" and a in held for a, action in self.planned.items())
        return max(0, planned - left) if self.finished or self.applied else 0

    def output_counts(self, after: State | None) -> Counts | None:
        """Outputs by what was planned for them, as far as it was not stopped."""
        if after is None or not self.finished:
            return None
        return tally(
            OUTPUTS.get(action, "unchanged")
            for name, action in self.outputs.items()
            if action in OUTPUTS or name in after.outputs
        )


@dataclass
class _Reading:
    planned: dict[str, str] = field(default_factory=dict)
    importing: set[str] = field(default_factory=set)
    summaries: dict[str, dict[str, int]] = field(default_factory=dict)
    hooks: Counter[str] = field(default_factory=Counter)
    outputs: dict[str, str] = field(default_factory=dict)
    drifted: int = 0
    version: str | None = None
    approval: Approval | None = None
    applied: bool = False
    forgot: bool = False

    def read(self, line: Mapping[str, Any]) -> None:
        """One line; what is not known is passed over."""
        reader = getattr(self, f"_{line.get('type', '')}", None)
        if reader is not None:
            reader(line)

    def _version(self, line: Mapping[str, Any]) -> None:
        self.version = line.get("tofu")

    def _planned_change(self, line: Mapping[str, Any]) -> None:
        change = line["change"]
        address = change["resource"]["addr"]
        if change["action"] != "read":
            self.planned[address] = change["action"]
        if change.get("importing") or change["action"] == "import":
            self.importing.add(address)

    def _resource_drift(self, _: Mapping[str, Any]) -> None:
        self.drifted += 1

    def _change_summary(self, line: Mapping[str, Any]) -> None:
        changes = dict(line["changes"])
        operation = str(changes.pop("operation"))
        self.applied = self.applied or operation != "plan"
        self.summaries[operation] = {k: v for k, v in changes.items() if isinstance(v, int)}

    def _outputs(self, line: Mapping[str, Any]) -> None:
        if not self.applied:
            self.outputs = {n: str(o.get("action", "")) for n, o in line["outputs"].items()}

    def _apply_start(self, _: Mapping[str, Any]) -> None:
        self.applied = True

    def _apply_complete(self, line: Mapping[str, Any]) -> None:
        if name := HOOKS.get(line["hook"]["action"]):
            self.hooks[name] += 1

    def _log(self, line: Mapping[str, Any]) -> None:
        if line.get("@message") in ("Apply cancelled", "Destroy cancelled"):
            self.approval = Approval.DECLINED

    def _diagnostic(self, line: Mapping[str, Any]) -> None:
        summary = str(line["diagnostic"].get("summary", ""))
        self.forgot = self.forgot or summary == FORGOT
        if summary.startswith(ASKING):
            ended = summary.removeprefix(ASKING)
            self.approval = Approval.EOF if ended == "EOF" else Approval.INTERRUPTED


def parse(lines: Iterable[bytes]) -> Stream:
    """The stream; a line that is cut off (a killed run) or foreign costs that line."""
    reading = _Reading()
    for text in lines:
        try:
            line = json.loads(text)
            if isinstance(line, dict):
                reading.read(line)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
    fields = dict(reading.__dict__)
    fields["importing"] = frozenset(reading.importing)
    fields["hooks"] = Counts(**reading.hooks)
    return Stream(**fields)
