"""The same run by the engine alone and through `tf`, and what differs: the screen, the code, the
state, and every number of the event against the engine's own words."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from estates import Estate, choose_runs
from rig.engines import clean_env

TF = Path(sys.executable).with_name("tf")
TFEVENTS = Path(sys.executable).with_name("tfevents")
STEPS = 5
COMPLETE = re.compile(r"(?:Apply|Destroy) complete! Resources: (.*?)\.(?: Actions.*)?$", re.M)
DONE = re.compile(r": (Creation|Modifications|Destruction) complete after ")
BEGUN = re.compile(r"^(.*?): (?:Creating|Modifying|Destroying)\.\.\.", re.M)
PLANNED = re.compile(
    r"^Plan: (?:(\d+) to import, )?(\d+) to add, (\d+) to change, (\d+) to destroy", re.M
)
NAMES = {
    "added": "added",
    "changed": "changed",
    "destroyed": "deleted",
    "imported": "imported",
    "forgotten": "removed",
}
KINDS = {"Creation": "added", "Modifications": "changed", "Destruction": "deleted"}
NOISE = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"\b[0-9a-f]{8}\b"), "KEY"),
    (re.compile(r"after \d+m?\d*s"), "after TIME"),
    (re.compile(r'"@timestamp":"[^"]*"'), "AT"),
    (re.compile(r"elapsed_seconds\":\d+"), "SECONDS"),
]


@dataclass
class Found:
    """What came of one seed. `absent`: which counts were, by the command."""

    seed: int
    runs: int = 0
    wrong: list[str] = field(default_factory=list)
    absent: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Said:
    """One run of one of the two."""

    code: int
    stdout: str
    stderr: str


def check(seed: int, engine: Path, place: Path) -> Found:
    """One seed's estate through all of its steps, on twins."""
    found = Found(seed)
    estate = Estate(random.Random(seed), version(engine))
    twins = {who: place / f"{seed}-{who}" / "project" for who in ("bare", "tf")}
    env = {who: environment(twins[who].parent, engine) for who in twins}
    for step in range(STEPS):
        estate.change()
        for project in twins.values():
            write(project, estate.files())
        for words, typed in choose_runs(estate):
            found.runs += 1
            where = f"seed {seed} step {step}: {' '.join(words)} <<< {typed!r}"
            before = state(twins["tf"])
            bare = run([str(engine), *words, "-no-color"], twins["bare"], env["bare"], typed)
            ours = run([str(TF), *words, "-no-color"], twins["tf"], env["tf"], typed)
            event = last_event(twins["tf"], env["tf"])
            differences = [
                *compare(words, bare, ours),
                *compare_states(state(twins["bare"]), state(twins["tf"])),
                *judge(words, ours, before, state(twins["tf"]), event, found.absent),
            ]
            found.wrong += [f"{where}: {difference}" for difference in differences]
    shutil.rmtree(place, ignore_errors=True) if not found.wrong else None
    return found


def version(engine: Path) -> tuple[int, int]:
    """Major and minor, as one number line for both tools: OpenTofu's 1.6 has what 1.6 had."""
    env = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    said = subprocess.run([engine, "version"], capture_output=True, text=True, env=env, check=True)
    numbers = re.search(r" v(\d+)\.(\d+)\.", said.stdout)
    assert numbers
    return int(numbers[1]), int(numbers[2])


def environment(home: Path, engine: Path) -> dict[str, str]:
    """Of a user with this engine and nothing configured."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        **clean_env(home, engine),
        "TFEVENTS_HOME": str(home / "tfevents"),
        "TFEVENTS_PROVISIONER": str(engine),
    }


def write(project: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    installed = {
        "Modules": [
            {"Key": "", "Source": "", "Dir": "."},
            {"Key": "m", "Source": "./m", "Dir": "m"},
        ]
    }
    (project / ".terraform/modules").mkdir(parents=True, exist_ok=True)
    (project / ".terraform/modules/modules.json").write_text(json.dumps(installed))


def run(command: list[str], project: Path, env: Mapping[str, str], typed: str) -> Said:
    done = subprocess.run(
        command,
        cwd=project,
        env=env,
        input=typed.encode(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


def state(project: Path) -> dict[str, Any]:
    """The stored state; empty where there is none."""
    path = project / "terraform.tfstate"
    text = path.read_text() if path.exists() else ""
    return json.loads(text) if text.strip() else {}


def last_event(project: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """The last run's last event, and whether it had a start."""
    said = run([str(TFEVENTS), "log", "--json"], project, env, "").stdout
    runs = json.loads(said)["runs"]
    events = runs[-1]["events"] if runs else []
    ordered = sorted(events, key=lambda event: str(event["put_at"]))
    return {
        "types": [e["event"]["event_type"] for e in ordered],
        **(ordered[-1]["event"] if ordered else {}),
    }


def compare(words: list[str], bare: Said, ours: Said) -> Iterator[str]:
    """Every byte but ids, times and the order of lines; `plan`'s closing note about -out."""
    if bare.code != ours.code:
        yield f"exit code {ours.code}, not {bare.code}"
    for name in ("stdout", "stderr"):
        theirs, mine = lines(getattr(bare, name), words), lines(getattr(ours, name), words)
        if theirs != mine:
            yield f"{name} lacks {list(theirs - mine)[:3]} and has {list(mine - theirs)[:3]}"


def lines(text: str, words: list[str]) -> Counter[str]:
    """The lines of a screen, without what is never twice the same."""
    if words[0] == "plan" and not any(word.startswith("-out") for word in words):
        text = text.partition("\n─────")[0].rstrip() + "\n"
    for pattern, word in NOISE:
        text = pattern.sub(word, text)
    kept = (line for line in text.split("\n") if not line.startswith("tfevents: "))
    return Counter(line.strip() for line in kept if line.strip() and '"type":"version"' not in line)


def objects(found: Mapping[str, Any]) -> dict[tuple[str, str | None], Mapping[str, Any]]:
    """Managed objects by their address, as a state file names them."""
    return {
        (name(resource, instance), instance.get("deposed")): instance
        for resource in found.get("resources", ())
        if resource["mode"] == "managed"
        for instance in resource["instances"]
    }


def name(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    module = f"{resource['module']}." if "module" in resource else ""
    key = instance.get("index_key")
    return f"{module}{resource['type']}.{resource['name']}{'' if key is None else [key]}"


def compare_states(bare: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[str]:
    """The same objects and outputs, but for what is random."""
    if Counter(k[0] for k in objects(bare)) != Counter(k[0] for k in objects(ours)):
        yield "the states hold other objects"
    for key, instance in objects(bare).items():
        other = objects(ours).get(key)
        if other and (instance.get("status"), instance["attributes"].get("input")) != (
            other.get("status"),
            other["attributes"].get("input"),
        ):
            yield f"the states differ in {key}"
    if bare.get("outputs", {}).keys() != ours.get("outputs", {}).keys():
        yield "the states hold other outputs"


def judge(
    words: list[str],
    said: Said,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    event: Mapping[str, Any],
    absent: Counter[str],
) -> Iterator[str]:
    """The event against what the engine said in the same run."""
    metadata = event.get("metadata", {})
    resources, outputs = metadata.get("resource_counts"), metadata.get("output_counts")
    applied = (
        words[0] != "plan" and "cancelled" not in said.stdout and "asking for" not in said.stderr
    )
    failed_early = said.code == 1 and not BEGUN.search(said.stdout) and "-json" not in words
    yield from judge_types(words, said, after, event)
    if resources is None:
        absent[f"{words[0]}{'' if said.code != 1 else ' failed'} resources"] += not failed_early
    else:
        wanted = spoken(words, said)
        told = {key: resources[key] for key in wanted}
        if told != wanted:
            yield f"counts {resources}, and the engine says {wanted}"
    if applied and outputs is None:
        absent[f"{words[0]}{'' if said.code != 1 else ' failed'} outputs"] += not failed_early
    elif applied and outputs is not None:
        wanted = told_outputs(before, after)
        if {k: v for k, v in outputs.items() if v} != wanted:
            yield f"output counts {outputs}, and the states say {dict(wanted)}"


def spoken(words: list[str], said: Said) -> dict[str, int]:
    """What the engine counts by itself, in its closing line or line by line."""
    if "-json" in words:
        return spoken_in_json(said)
    if closing := COMPLETE.search(said.stdout):
        return {NAMES[kind]: int(n) for n, kind in map(str.split, closing[1].split(", "))}
    if words[0] != "plan" and BEGUN.search(said.stdout):
        done = Counter(KINDS[kind] for kind in DONE.findall(said.stdout))
        return {kind: done[kind] for kind in KINDS.values()}
    if planned := PLANNED.search(said.stdout):
        numbers = [int(number or 0) for number in planned.groups()]
        return dict(zip(("imported", "added", "changed", "deleted"), numbers, strict=True))
    return {}


def spoken_in_json(said: Said) -> dict[str, int]:
    messages = [json.loads(line) for line in said.stdout.splitlines() if line.startswith("{")]
    kinds = {"create": "added", "update": "changed", "delete": "deleted"}
    hooks = [m["hook"]["action"] for m in messages if m.get("type") == "apply_complete"]
    done = Counter(kinds[action] for action in hooks if action in kinds)
    return {kind: done[kind] for kind in kinds.values()}


def told_outputs(before: Mapping[str, Any], after: Mapping[str, Any]) -> Counter[str]:
    """Both states' outputs compared; one that is null is none."""
    was, now = before.get("outputs", {}), after.get("outputs", {})
    found: Counter[str] = Counter()
    for output in was.keys() | now.keys():
        old, new = was.get(output), now.get(output)
        had = old is not None and old["value"] is not None
        has = new is not None and new["value"] is not None
        if old == new:
            found["unchanged"] += 1
        elif had or has:
            found["changed" if had and has else "added" if has else "deleted"] += 1
    return found


def judge_types(
    words: list[str], said: Said, after: Mapping[str, Any], event: Mapping[str, Any]
) -> Iterator[str]:
    """The event table, by the exit code and what the screen says."""
    types = event["types"]
    empty = not (objects(after) or after.get("outputs"))
    declined = "cancelled" in said.stdout or "asking for approval" in said.stderr
    end = types[-1] if types else None
    if words[0] == "plan":
        wanted = {"failed"} if said.code == 1 else {"plan", "apply_needed", "drifted"}
    elif declined:
        wanted = {"apply_needed"}
    elif said.code == 0 or "left behind forgotten" in said.stderr:
        wanted = {"inactive" if empty else "active"}
    else:
        wanted = {"failed"}
    if end not in wanted:
        yield f"events {types}, and it should end with {wanted}"
    if declined and len(types) != 1:
        yield f"events {types} of a run that was declined"
