"""What the engine itself says about a run: its output, its plan made by hand, its states."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Numbers = dict[str, int]
NAMES = ("added", "changed", "deleted", "imported", "removed", "unchanged")
ACTIONS = {"create": "added", "update": "changed", "delete": "deleted", "forget": "removed"}
DONE = {"Creation": "added", "Modifications": "changed", "Destruction": "deleted"}
COMPLETE = re.compile(
    r"^(.+?)(?: \(deposed object [0-9a-f]{8}\))?: (Creation|Modifications|Destruction)"
    r" complete after (?:\d+m)?\d+s(?: \[id=.*\])?$"
)
BEGUN = re.compile(
    r"^(.+?)(?: \(deposed object [0-9a-f]{8}\))?: (Creating|Modifying|Destroying)\.\.\."
    r"(?: \[id=.*\])?$"
)
IMPORTED = re.compile(r"^(.+): Import complete \[id=.*\]$")
CLOSING = re.compile(
    r"^(?:Apply|Destroy) complete! Resources: (?:(\d+) imported, )?"
    r"(?:(\d+) added, (\d+) changed, )?"
    r"(\d+) destroyed(?:, \d+ forgotten)?\.",
    re.MULTILINE,
)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
WITH = re.compile(r"^(?:│ )?  with (.+),$", re.MULTILINE)


@dataclass(frozen=True)
class Told:
    """What one run printed, and how it ended; `json`: with -json."""

    stdout: str
    stderr: str
    code: int
    json: bool = False

    @property
    def plain(self) -> str:
        return COLOURS.sub("", self.stdout)

    @property
    def asked(self) -> bool:
        return "Enter a value:" in self.plain

    @property
    def declined(self) -> bool:
        cancelled = re.search(r"^(Apply|Destroy) cancelled\.$", self.plain, re.MULTILINE)
        return bool(cancelled) or "error asking for approval" in self.stderr

    def messages(self) -> Iterator[dict[str, Any]]:
        for line in self.stdout.splitlines() if self.json else ():
            if line.startswith("{"):
                yield json.loads(line)

    def begun(self) -> set[str]:
        """Addresses at which an action was begun."""
        if self.json:
            starts = (m for m in self.messages() if m["type"] == "apply_start")
            return {m["hook"]["resource"]["addr"] for m in starts if m["hook"]["action"] != "read"}
        return {m[1] for line in self.plain.splitlines() if (m := BEGUN.match(line))}

    def completed(self) -> Counter[str]:
        """How many creations, modifications and destructions are reported as complete."""
        if self.json:
            ends = (m["hook"]["action"] for m in self.messages() if m["type"] == "apply_complete")
            return Counter(ACTIONS[action] for action in ends if action in ACTIONS)
        found = (COMPLETE.match(line) for line in self.plain.splitlines())
        return Counter(DONE[m[2]] for m in found if m)

    def closing(self) -> Numbers | None:
        """The counts of the closing line; None if the run did not get that far."""
        if self.json:
            for message in self.messages():
                told = message.get("changes")
                if message["type"] == "change_summary" and told["operation"] != "plan":
                    return {
                        "added": told["add"],
                        "changed": told["change"],
                        "deleted": told["remove"],
                        "imported": told.get("import", 0),
                    }
            return None
        found = CLOSING.search(self.plain)
        if not found:
            return None
        imported, added, changed, deleted = (int(n or 0) for n in found.groups())
        return {"added": added, "changed": changed, "deleted": deleted, "imported": imported}

    def failed(self) -> set[str]:
        """Addresses that the errors name."""
        if self.json:
            return {
                m["diagnostic"].get("address", "")
                for m in self.messages()
                if m["type"] == "diagnostic" and m["diagnostic"]["severity"] == "error"
            }
        return set(WITH.findall(COLOURS.sub("", self.stderr)))


@dataclass(frozen=True)
class State:
    """A state file: managed objects by address and deposed key, and root outputs."""

    objects: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> State:
        if not path.exists() or not path.read_text():
            return cls()
        stored = json.loads(path.read_text())
        found = {}
        for resource in stored["resources"]:
            if resource["mode"] != "managed":
                continue
            module = f"{resource['module']}." if "module" in resource else ""
            for instance in resource["instances"]:
                key = f"[{_key(instance['index_key'])}]" if "index_key" in instance else ""
                address = f"{module}{resource['type']}.{resource['name']}{key}"
                found[address, instance.get("deposed", "")] = instance
        return cls(found, stored["outputs"])

    @property
    def empty(self) -> bool:
        told = {name: o for name, o in self.outputs.items() if o.get("value") is not None}
        return not self.objects and not told

    def current(self) -> set[str]:
        return {address for address, deposed in self.objects if not deposed}


def find_workspace(directory: Path, env: Mapping[str, str]) -> str:
    """The workspace that is selected in a directory."""
    chosen = directory / ".terraform" / "environment"
    return env.get("TF_WORKSPACE") or (chosen.read_text() if chosen.exists() else "default")


def find_state(directory: Path, env: Mapping[str, str]) -> Path:
    """The path of the selected workspace's state; it may not exist."""
    name = find_workspace(directory, env)
    place = directory if name == "default" else directory / "terraform.tfstate.d" / name
    return place / "terraform.tfstate"


def _key(key: str | int) -> str:
    if isinstance(key, int):
        return str(key)
    written = json.dumps(key, ensure_ascii=False)
    return written.replace("${", "$${").replace("%{", "%%{")


@dataclass(frozen=True)
class Plan:
    """`show -json` of a plan."""

    shown: Mapping[str, Any]

    def changes(self) -> list[Mapping[str, Any]]:
        return [c for c in self.shown.get("resource_changes", ()) if c["mode"] == "managed"]

    def counts(self) -> Numbers:
        """Resource counts by the engine's own plan."""
        found: Counter[str] = Counter()
        for change in self.changes():
            actions = change["change"]["actions"]
            imports = "importing" in change["change"]
            found["imported"] += imports
            moved = change.get("previous_address", change["address"]) != change["address"]
            if actions == ["no-op"]:
                found["unchanged"] += not (imports or moved or change.get("deposed"))
            for action in actions:
                if action in ACTIONS:
                    found[ACTIONS[action]] += 1
        return {name: found[name] for name in NAMES}

    def refresh_only_counts(self) -> Numbers:
        held = sum(
            1
            for r in _resources(self.shown.get("prior_state", {}).get("values", {}))
            if r["mode"] == "managed" and not r.get("deposed_key")
        )
        return dict.fromkeys(NAMES, 0) | {"unchanged": held}

    def output_counts(self) -> Numbers:
        found: Counter[str] = Counter()
        for change in self.shown.get("output_changes", {}).values():
            actions = change["actions"]
            if actions == ["no-op"]:
                found["unchanged"] += change["before"] is not None
            if actions == ["delete"] and change["before"] is None:
                continue  # OpenTofu stores a null output, and does not show its deletion
            for action in actions:
                if action in ACTIONS:
                    found[ACTIONS[action]] += 1
        return {name: found[name] for name in NAMES}

    def drift(self) -> Numbers:
        found: Counter[str] = Counter()
        for entry in self.shown.get("resource_drift", ()):
            change = entry["change"]
            if change["actions"] == ["delete"]:
                found["deleted"] += 1
            elif change["actions"] == ["update"]:
                found["changed"] += bare(change["before"]) != bare(change["after"])
        return {name: found[name] for name in NAMES}

    def forgets(self) -> set[str]:
        return {c["address"] for c in self.changes() if "forget" in c["change"]["actions"]}

    def imports(self) -> set[str]:
        return {c["address"] for c in self.changes() if "importing" in c["change"]}

    def moved(self) -> set[str]:
        found = {
            c["address"]
            for c in self.changes()
            if c.get("previous_address", c["address"]) != c["address"]
        }
        return found | {
            c["address"]
            for c in self.shown.get("resource_drift", ())
            if c.get("previous_address", c["address"]) != c["address"]
        }


def bare(value: Any) -> Any:
    """The value without what is empty; None if nothing is left."""
    if isinstance(value, dict):
        kept = {name: bare(v) for name, v in value.items()}
        return {name: v for name, v in kept.items() if v is not None} or None
    if isinstance(value, list):
        kept_list = [bare(v) for v in value]
        return kept_list if any(v is not None for v in kept_list) else None
    return None if value == "" else value


def _resources(values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    modules = [values.get("root_module", {})]
    while modules:
        module = modules.pop()
        yield from module.get("resources", ())
        modules += module.get("child_modules", ())


def outputs_between(before: State, after: State) -> Numbers:
    """Output counts from two states: what became of the root outputs."""
    found: Counter[str] = Counter()
    for name in before.outputs.keys() | after.outputs.keys():
        was, now = before.outputs.get(name), after.outputs.get(name)
        had = was is not None and was.get("value") is not None
        has = now is not None and now.get("value") is not None
        if was == now:
            found["unchanged"] += 1
        elif had or has:
            found["changed" if had and has else "added" if has else "deleted"] += 1
    return {name: found[name] for name in NAMES}
