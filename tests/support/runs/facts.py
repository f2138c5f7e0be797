"""Checks what an event says besides its counts against the engine: version, state, exit code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PLANNED = ("added", "changed", "deleted")


@dataclass(frozen=True)
class Truth:
    """What the engine itself says. `pulled` is its `state pull` after the run that is reported."""

    version: str
    workspace: str
    code: int
    pulled: str

    def facts(self, counts: Mapping[str, int]) -> dict[str, str]:
        """The facts by their names in an event; those of a state only if there is one."""
        found = {
            "provisioner_version": self.version,
            "tf_workspace": self.workspace,
            "exit_code": str(self.code),
            "PlannedChangesCount": str(sum(counts.get(name, 0) for name in PLANNED)),
        }
        if self.pulled.strip():
            state = json.loads(self.pulled)
            found |= {name: str(state[name]) for name in ("serial", "lineage")}
            found["state_checksum"] = hash_state(self.pulled.removesuffix("\n"))
        return found


def hash_state(text: str) -> str:
    """SHA-256 of a state as it is printed, except check results: the engine prints two or more in
    another order each time, so they are sorted and compact."""
    results = json.loads(text).get("check_results") or []
    objects = [result["objects"] or [] for result in results]
    if any(len(order) > 1 for order in (results, *objects)):
        for result in results:
            result["objects"] = result["objects"] and sorted(result["objects"], key=_write)
        begin = text.index("[", text.rindex('"check_results":'))
        _, length = json.JSONDecoder().raw_decode(text[begin:])
        text = text[:begin] + _write(sorted(results, key=_write)) + text[begin + length :]
    return hashlib.sha256(text.encode()).hexdigest()


def _write(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def compare_facts(event: Mapping[str, Any], truth: Truth) -> Iterator[tuple[str, str | None]]:
    """Each fact that the event has, and what is wrong with it, or None."""
    about = event["metadata"]
    told = {**about, **event["data"]}
    for name, right in truth.facts(about.get("resource_counts", {})).items():
        if name in told:
            wrong = str(told[name]) != right
            yield name, f"fact {name} is {told[name]}, the engine's {right}" if wrong else None
