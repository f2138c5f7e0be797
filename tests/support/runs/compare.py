"""Compares what two twins printed and left behind, without what differs between any two runs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.runs.engineword import Told
from support.runs.script import Turn

_NOTE = re.compile(
    r"(\x1b\[90m)?\n──+(\x1b\[0m)?\n\n"
    r"(Note: You didn't use the -out option|Saved the plan to: )(?s:.*)\Z"
)
_OURS = re.compile(r"(?m)(?:^|(?<=\x1b\[0m))tfevents: [^\n]*\n")
_RESETS = re.compile(r"(\x1b\[0m)+")
_MASKS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"), "TIME"),
    (re.compile(r"(after|elapsed|\[)( ?)(\d+m)?\d+s"), r"\1\2SECONDS"),
    (re.compile(r'"elapsed_seconds":\d+'), '"elapsed_seconds":N'),
    (re.compile(r"(deposed(?: object)?[ :\"_key]+)[0-9a-f]{8}"), r"\1DEPOSED"),
)


def count_ours(told: Told) -> int:
    """How many lines tfevents printed."""
    return len(_OURS.findall(told.stderr)) + len(_OURS.findall(told.stdout))


def masked(text: str, turn: Turn, *twins: Path) -> str:
    """The text without tfevents' own lines and a plan's note about `-out`; times, random names and
    directories are masked."""
    text = _OURS.sub("", text)
    if turn.command == "plan":
        text = _NOTE.sub("", text)
    for twin in twins:
        text = text.replace(str(twin), "DIRECTORY")
    return _mask(text)


def stream_differences(name: str, was: str, now: str) -> list[str]:
    """A message about the lines that only one of two masked texts has; empty if there are none."""
    if _lines(was) == _lines(now):
        return []
    left = Counter(was.splitlines())
    left.subtract(now.splitlines())
    lines = [f"{n:+d} {line}" for line, n in left.items() if n]
    return [f"{name} differs: " + " ⏎ ".join(lines)[:600]]


def difference(was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The names whose values differ, and both values."""
    odd = [name for name in was.keys() | now.keys() if was.get(name) != now.get(name)]
    return ", ".join(f"{n}: {was.get(n)!s:.150} / {now.get(n)!s:.150}" for n in sorted(odd))


def read_objects(twin: Path) -> dict[str, str]:
    """The contents of the object files, by name."""
    return {path.name: path.read_text() for path in twin.glob("*.txt*")}


def read_states(twin: Path) -> dict[str, Any]:
    """The stored state of each workspace, masked; resources and check results in a fixed order."""
    paths = sorted(twin.glob("terraform.tfstate.d/*/terraform.tfstate"))
    found = {}
    for path in [twin / "terraform.tfstate", *paths]:
        if path.exists():
            named = {f"{path.parent.name} {name}": value for name, value in _read(path).items()}
            found.update(named)
    return found


def _read(path: Path) -> dict[str, Any]:
    stored = json.loads(_mask(path.read_text()) or "{}")
    found = {
        f"{r.get('module')} {r['mode']} {r['type']}.{r['name']}": r
        for r in stored.pop("resources", ())
        if r["instances"]  # a failed resource may or may not leave an empty entry
    }
    for resource in found.values():  # instances come in any order, and so do their marks
        resource["instances"].sort(key=_key_of)
        for instance in resource["instances"]:
            instance.get("sensitive_attributes", []).sort(key=json.dumps)
    for varies in ("serial", "lineage"):
        stored.pop(varies, None)
    if stored.get("check_results"):
        for checked in stored["check_results"]:
            checked["objects"] = sorted(map(json.dumps, checked.get("objects") or ()))
        stored["check_results"] = sorted(map(json.dumps, stored["check_results"]))
    return {**stored, **found}


def _key_of(instance: Mapping[str, Any]) -> tuple[str, str]:
    return str(instance.get("index_key")), instance.get("deposed", "")


def _mask(text: str) -> str:
    for pattern, word in _MASKS:
        text = pattern.sub(word, text)
    return text


def _lines(text: str) -> list[str]:
    """The lines, sorted; colour resets in a row count as one, as a reset may come again before the
    next line."""
    return sorted(_RESETS.sub("\x1b[0m", text).splitlines())
