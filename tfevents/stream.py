"""OpenTofu's `-json-into` stream → what was planned, asked and done (semantics §1.4)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from tfevents.approval import Approval
from tfevents.counts import Counts, tally
from tfevents.record import dataclass, field
from tfevents.state import State, literal

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` is slow to wake
    from typing import Any

SUMMED = {"add": "added", "change": "changed", "remove": "deleted", "import": "imported"}
HOOKS = {"create": "added", "update": "changed", "delete": "deleted"}
LEAVING = frozenset({"delete", "remove"})
FORGOT = "Destroy was successful but left behind forgotten instances"
ASKING = "error asking for approval: "


@dataclass(frozen=True)
class Output:
    """What is planned for an output; `known` with its value, which a sensitive one never is."""

    action: str
    known: bool
    sensitive: bool


@dataclass
class Stream:
    """One run as it tells itself, line by line. Addresses go no further than this.

    `planned`: the actions per address, as often as there are objects. `summaries`: the numbers by
    operation (plan, apply, destroy). `hooks`: what was completed, `made` and `left`: where.
    """

    planned: dict[str, list[str]] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    importing: set[str] = field(default_factory=set)
    refreshed: set[str] = field(default_factory=set)
    summaries: dict[str, dict[str, int]] = field(default_factory=dict)
    hooks: Counter[str] = field(default_factory=Counter)
    made: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    outputs: dict[str, Output] = field(default_factory=dict)
    drifted: int = 0
    version: str | None = None
    approval: Approval | None = None
    applied: bool = False
    forgot: bool = False
    _rest: bytes = b""

    # Reading

    def feed(self, chunk: bytes) -> None:
        """Reads on; what is no whole line yet waits for its rest."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._line(line)

    def _line(self, text: bytes) -> None:
        """One line; one that is cut off (a killed run), foreign or not known is passed over."""
        try:
            line = json.loads(text)
            reader = getattr(self, f"_on_{line['type']}", None)
            if reader is not None:
                reader(line)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass

    def _on_version(self, line: Mapping[str, Any]) -> None:
        self.version = line.get("tofu")

    def _on_refresh_start(self, line: Mapping[str, Any]) -> None:
        self.refreshed.add(literal(line["hook"]["resource"]["addr"]))

    def _on_planned_change(self, line: Mapping[str, Any]) -> None:
        change = line["change"]
        address = literal(change["resource"]["addr"])
        if change["action"] != "read":
            self.planned.setdefault(address, []).append(change["action"])
        if change.get("importing") or change["action"] == "import":
            self.importing.add(address)
        if "previous_resource" in change:
            self.moved.add(literal(change["previous_resource"]["addr"]))

    def _on_resource_drift(self, _: Mapping[str, Any]) -> None:
        self.drifted += 1

    def _on_change_summary(self, line: Mapping[str, Any]) -> None:
        changes = dict(line["changes"])
        operation = str(changes.pop("operation"))
        self.applied = self.applied or operation != "plan"
        self.summaries[operation] = {k: v for k, v in changes.items() if isinstance(v, int)}

    def _on_outputs(self, line: Mapping[str, Any]) -> None:
        if not self.applied:
            self.outputs = {
                name: Output(str(o.get("action", "")), "value" in o, bool(o.get("sensitive")))
                for name, o in line["outputs"].items()
            }

    def _on_apply_start(self, line: Mapping[str, Any]) -> None:
        hook = line["hook"]
        self.applied = True
        if hook["action"] == "create":
            self.made.add(literal(hook["resource"]["addr"]))

    def _on_apply_complete(self, line: Mapping[str, Any]) -> None:
        action, address = line["hook"]["action"], literal(line["hook"]["resource"]["addr"])
        if action in HOOKS:
            self.hooks[HOOKS[action]] += 1
        if action in LEAVING:
            self.left.add(address)

    def _on_log(self, line: Mapping[str, Any]) -> None:
        if line.get("@message") in ("Apply cancelled", "Destroy cancelled"):
            self.approval = Approval.DECLINED

    def _on_diagnostic(self, line: Mapping[str, Any]) -> None:
        summary = str(line["diagnostic"].get("summary", ""))
        self.forgot = self.forgot or summary == FORGOT
        if summary.startswith(ASKING):
            ended = summary.removeprefix(ASKING)
            self.approval = Approval.EOF if ended == "EOF" else Approval.INTERRUPTED

    # What it says

    @property
    def has_changes(self) -> bool:
        """Whether there was something to apply."""
        return bool(self.planned) or any(
            o.action not in ("noop", "") for o in self.outputs.values()
        )

    @property
    def finished(self) -> bool:
        """Whether it came to its end: with its numbers, or with the one error that is none."""
        return bool(self.summaries.keys() & {"apply", "destroy"}) or self.forgot

    @property
    def had_state(self) -> bool:
        """Whether there was anything before: something refreshed, or planned but to be created."""
        actions = {action for actions in self.planned.values() for action in actions}
        return bool(self.refreshed or self.moved or actions - {"create", "import"})

    @property
    def leaves_something(self) -> bool:
        """Whether what was planned, once done, leaves an object or an output."""
        kept = any(set(actions) - LEAVING for actions in self.planned.values())
        return kept or any(output.action != "delete" for output in self.outputs.values())

    def planned_counts(self, now: State, *, whole: bool) -> Counts:
        """What is to be done to the state as it is; `whole`: no targets were chosen."""
        summary = self.summaries.get("plan", {})
        touched = self.planned.keys() | self.moved
        return Counts(
            **{name: summary.get(key, 0) for key, name in SUMMED.items()},
            removed=summary.get("forget", 0),
            unchanged=sum(
                address not in touched or self._only_deposed(address, now)
                for address in self._seen(now, whole=whole)
            ),
        )

    def _only_deposed(self, address: str, now: State) -> bool:
        """Whether what leaves at this address are its deposed objects, not the current one."""
        actions = self.planned.get(address, [])
        deposed = sum(a == address and key is not None for a, key in now.objects)
        return set(actions) <= LEAVING and 0 < len(actions) <= deposed

    def _seen(self, state: State, *, whole: bool) -> Iterator[str]:
        """The current objects that the run looked at; those left aside count as nothing."""
        current = (address for address, deposed in state.objects if deposed is None)
        return (address for address in current if whole or address in self.refreshed)

    def done(self, after: State, *, whole: bool) -> Counts:
        """What was done: by the tool's own numbers, or by what it completed before it failed."""
        summary = self.summaries.get("apply") or self.summaries.get("destroy")
        done = {name: summary.get(key, 0) for key, name in SUMMED.items()} if summary else None
        held = {address for address, deposed in after.objects if deposed is None}
        hooks = {**self.hooks, "imported": len(self.importing & held)}
        return Counts(
            **(done or hooks),
            removed=self._forgotten(held),
            unchanged=sum(
                address not in self.planned or self._stayed(address, after)
                for address in self._seen(after, whole=whole)
            ),
        )

    def _stayed(self, address: str, after: State) -> bool:
        """Whether the object is still there because only deposed ones were to leave."""
        only_leaves = set(self.planned[address]) <= LEAVING
        deposed = any(a == address and key is not None for a, key in after.objects)
        return only_leaves and (self.finished or deposed or address in self.left)

    def _forgotten(self, held: set[str]) -> int:
        """From the plan, never from the apply: it does not count one that is made anew."""
        if self.finished:
            return self.summaries.get("plan", {}).get("forget", 0)
        gone = (a for a, actions in self.planned.items() if "remove" in actions and a not in held)
        anew = (a for a, actions in self.planned.items() if "noop" in actions and a in self.made)
        return sum(1 for _ in gone) + sum(1 for _ in anew)

    def output_counts(self, before: State | None, after: State) -> Counts | None:
        """Outputs by what was planned for them; None where that can't be told."""
        if not self.finished:
            return None
        names = [self._output(name, before, after) for name in self.outputs]
        return None if None in names else tally(name for name in names if name)

    def _output(self, name: str, before: State | None, after: State) -> str | None:
        """What it counts as, "" for nothing; only a value that was not known may be the same."""
        output, now = self.outputs[name], after.outputs.get(name)
        if output.action in ("create", "noop"):
            return {"create": "added", "noop": "unchanged"}[output.action] if now else ""
        if output.action != "update" or output.known:
            return HOOKS.get(output.action, "")
        if before is None or before.identity == after.identity:
            return None
        if before.outputs.get(name) != now:
            return "changed"
        return None if output.sensitive else "unchanged"

    def tainted(self, after: State) -> int:
        """How many of the objects that it made wait to be replaced."""
        keys = after.objects.items()
        return sum(made.tainted and a in self.made for (a, deposed), made in keys if not deposed)


def parse(lines: Iterable[bytes]) -> Stream:
    """A whole stream."""
    stream = Stream()
    for line in lines:
        stream.feed(line.rstrip(b"\n") + b"\n")
    return stream
