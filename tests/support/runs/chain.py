"""A chain of runs in twin directories, the bare engine's and tf's, and what differed."""

from __future__ import annotations

import json
import random
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from support import files
from support.engines import clean_env
from support.runs import world as worlds
from support.runs.engineword import NAMES, Numbers, Plan, State, Told, outputs_between
from support.runs.world import Dialect, World

BIN = Path(sys.executable).parent
NOTE = re.compile(
    r"(\x1b\[90m)?\n──+(\x1b\[0m)?\n\n"
    r"(Note: You didn't use the -out option|Saved the plan to: )(?s:.*)\Z"
)
OURS = re.compile(r"(?m)(?:^|(?<=\x1b\[0m))tfevents: [^\n]*\n")
AGAIN = 20
RESETS = re.compile(r"(\x1b\[0m)+")
MASKS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"), "TIME"),
    (re.compile(r"(after|elapsed|\[)( ?)(\d+m)?\d+s"), r"\1\2SECONDS"),
    (re.compile(r'"elapsed_seconds":\d+'), '"elapsed_seconds":N'),
    (re.compile(r"(deposed(?: object)?[ :\"_key]+)[0-9a-f]{8}"), r"\1DEPOSED"),
)


@dataclass(frozen=True)
class Step:
    """One run: its words, and what is typed at its prompt."""

    words: tuple[str, ...]
    typed: str = ""
    by_hand: tuple[str, ...] | None = None
    """The flags of a plan by hand that tells what it is to do; None for a saved plan's apply."""
    saved: tuple[str, ...] = ()
    """The flags that a saved plan was made with."""

    @property
    def command(self) -> str:
        return self.words[0]

    def has(self, flag: str) -> bool:
        """Whether it, or the saved plan, was given a flag."""
        words = (*self.words, *self.saved)
        return any(word == flag or word.startswith(f"{flag}=") for word in words)

    @property
    def destroys(self) -> bool:
        return self.command == "destroy" or self.has("-destroy")


@dataclass
class Found:
    """What was found of one step."""

    seed: int
    number: int
    step: Step
    wrong: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    right: Counter[str] = field(default_factory=Counter)
    kind: str = ""


@dataclass
class Chain:
    """One seed: `theirs` and `ours` are twins under `place`."""

    engine: Path
    dialect: Dialect
    seed: int
    place: Path
    chance: random.Random = field(init=False)
    env: dict[str, str] = field(init=False)
    seen: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)
    """The commands that do it again."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.theirs, self.ours = self.place / "theirs" / "p", self.place / "ours" / "p"
        shutil.rmtree(self.place, ignore_errors=True)
        self.env = clean_env(self.place / "home", self.engine)
        (self.place / "home" / "terraform.rc").write_text(files.cli_config())
        self.env["TFEVENTS_HOME"] = str(self.place / "home" / "tfevents")
        self.env["TFEVENTS_PROVISIONER"] = str(self.engine)
        for twin in (self.theirs, self.ours):
            (twin / "m").mkdir(parents=True)
            (twin / "seed.txt").write_text("seed")
        self.world = World(self.chance, self.dialect)
        self.world.begin()

    def run(self, steps: int) -> Iterator[Found]:
        self._write()
        done = self._call(self.theirs, [self.engine, "init", "-no-color", "-input=false"])
        if done.code:
            raise RuntimeError(f"init fails: {done.stderr}{done.stdout}")
        self._share_init()
        for number in range(steps):
            self._disturb(first=number == 0)
            step = self._choose(first=number == 0)
            yield self._take(number, step)

    def _share_init(self) -> None:
        for name in (".terraform", ".terraform.lock.hcl"):
            source, target = self.theirs / name, self.ours / name
            if source.is_dir():
                shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy(source, target)

    def _write(self) -> None:
        for name, text in self.world.files().items():
            self._put(name, text)
        for name in self.world.imported:
            self._put(name, "found")
        self.world.imported.clear()

    def _put(self, name: str, text: str | None) -> None:
        for twin in (self.theirs, self.ours):
            if text is None:
                (twin / name).unlink(missing_ok=True)
            else:
                (twin / name).write_text(text)

    def _disturb(self, *, first: bool) -> None:
        """What happens between two runs."""
        if not first and self.chance.random() < 0.7:
            self.world.edit()
            self._write()
        if self.chance.random() < 0.4:
            for name, text in worlds.drift(self.chance, self.theirs / "terraform.tfstate"):
                self._put(name, text)
        if self.chance.random() < 0.45:
            for name, text in worlds.trouble(self.chance, self.world, self._paths()):
                self._put(name, text)
        elif self.chance.random() < 0.4:
            for path in self.theirs.iterdir():
                if path.suffix in (".trouble", ".unprovisioned", ".undestroyed"):
                    self._put(path.name, None)

    def _paths(self) -> list[str]:
        """Where objects are, by the state."""
        state = State.read(self.theirs / "terraform.tfstate")
        attributes = (instance.get("attributes") or {} for instance in state.objects.values())
        return sorted({a["path"] for a in attributes if "path" in a})

    def _choose(self, *, first: bool) -> Step:
        chance = self.chance
        command = (
            "apply"
            if first
            else chance.choices(["apply", "destroy", "plan", "saved", "refresh"], [12, 3, 4, 4, 1])[
                0
            ]
        )
        if command == "refresh":
            return Step(("refresh",), "", ())
        shared = list(self._shared(command))
        if command == "saved":
            saved = self._save(shared)
            words = ("apply", *(["-json"] if chance.random() < 0.2 else []), "saved.plan")
            return (
                Step(words, saved=tuple(shared))
                if saved
                else Step(("plan", *shared), "", tuple(shared))
            )
        planned = [*shared, *(["-destroy"] if command == "destroy" else [])]
        if command == "plan":
            extra = [
                w
                for w in ("-detailed-exitcode", "-json", "-out=kept.plan")
                if chance.random() < 0.25
            ]
            return Step(("plan", *shared, *extra), "", tuple(planned))
        if chance.random() < 0.65:
            extra = ["-auto-approve", *(["-json"] if chance.random() < 0.2 else [])]
            return Step((command, *shared, *extra), "", tuple(planned))
        typed = chance.choice(["yes\n", "yes\n", "no\n", "", "YES\n"])
        return Step((command, *shared), typed, tuple(planned))

    def _shared(self, command: str) -> Iterator[str]:
        """Flags that plan and apply have in common."""
        chance = self.chance
        if command != "destroy":
            kind = chance.choices(["", "-refresh-only", "-destroy"], [12, 2, 1])[0]
            if kind:
                yield kind
        else:
            kind = "-destroy"
        addresses = sorted(State.read(self.theirs / "terraform.tfstate").current())
        addresses += [i.place for i in self.world.items if not i.module]
        if kind != "-refresh-only" and chance.random() < 0.12:
            yield "-refresh=false"
        if addresses and chance.random() < 0.15:
            yield f"-target={chance.choice(addresses)}"
        if addresses and not kind and chance.random() < 0.12:
            yield f"-replace={chance.choice(addresses)}"
        if chance.random() < 0.35:
            yield f"-var=v={chance.choice(['b', 'b', 'p', 'longer'])}"
        if chance.random() < 0.5:
            yield "-no-color"
        if chance.random() < 0.2:
            yield "-parallelism=1"

    def _save(self, shared: list[str]) -> bool:
        words = ["plan", "-input=false", "-out=saved.plan", *shared]
        for twin in (self.theirs, self.ours):
            (twin / "saved.plan").unlink(missing_ok=True)
            if self._call(twin, [self.engine, *words]).code:
                return False
        return True

    def _take(self, number: int, step: Step) -> Found:
        found = Found(self.seed, number, step)
        before = State.read(self.theirs / "terraform.tfstate")
        plan = self._plan(step)
        self._keep(number, step)
        theirs = self._call(self.theirs, [self.engine, *step.words], step)
        ours = self._call(self.ours, [BIN / "tf", *step.words], step)
        after = State.read(self.theirs / "terraform.tfstate")
        self._compare_streams(found, theirs, ours)
        self._compare_places(found)
        events = self._events()
        Judge(found, step, theirs, plan, before, after, self.dialect).judge(events)
        if found.wrong:
            self._write_down(number, step, theirs, ours, events)
        return found

    def _keep(self, number: int, step: Step) -> None:
        """The directory as it was before, so that a wrong run can be done again."""
        kept = self.place / f"step{number}"
        for twin, side in ((self.theirs, "theirs"), (self.ours, "ours")):
            shutil.copytree(twin, kept / side, symlinks=True)

    def _write_down(
        self, number: int, step: Step, theirs: Told, ours: Told, events: list[dict[str, Any]]
    ) -> None:
        kept = self.place / f"step{number}"
        env = " ".join(
            f"{k}={shlex.quote(v)}"
            for k, v in sorted(self.env.items())
            if k.startswith(("TF", "CHECK"))
        )
        typed = f"printf {shlex.quote(step.typed)} | " if step.typed else "</dev/null "
        words = shlex.join(step.words)
        (kept / "again.sh").write_text(
            f"export {env}\n(cd {kept}/theirs; {typed}{self.engine} {words})\n"
            f"(cd {kept}/ours; {typed}{BIN}/tf {words})\n"
        )
        for name, told in (("theirs", theirs), ("ours", ours)):
            (kept / f"{name}.out").write_text(told.stdout)
            (kept / f"{name}.err").write_text(told.stderr)
        (kept / "events.json").write_text(json.dumps(events, indent=1))

    def _plan(self, step: Step) -> Plan | None:
        if step.by_hand is None:
            return self._show("saved.plan")
        out = self.place / "by-hand.plan"
        out.unlink(missing_ok=True)
        told = self._call(
            self.theirs,
            [self.engine, "plan", "-input=false", "-lock=false", f"-out={out}", *step.by_hand],
        )
        plan = self._show(str(out)) if out.exists() else None
        # Terraform 1.5 does not note in a plan that it broke off
        return replace(plan, shown={**plan.shown, "errored": True}) if plan and told.code else plan

    def _show(self, name: str) -> Plan | None:
        shown = self._call(self.theirs, [self.engine, "show", "-json", name])
        start = shown.stdout.find('{"format_version"')
        return Plan(json.loads(shown.stdout[start:])) if shown.code == 0 else None

    def _call(self, cwd: Path, command: list[Any], step: Step | None = None) -> Told:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env=self.env,
            input=(step.typed if step else "").encode(),
            capture_output=True,
            timeout=120,
            check=False,
        )
        is_json = step is not None and step.has("-json")
        return Told(done.stdout.decode(), done.stderr.decode(), done.returncode, is_json)

    def _compare_streams(self, found: Found, theirs: Told, ours: Told) -> None:
        if theirs.code != ours.code:
            found.wrong.append(f"exit code {ours.code}, the engine's {theirs.code}")
        said = len(OURS.findall(ours.stderr)) + len(OURS.findall(ours.stdout))
        if said > 1:
            found.wrong.append(f"tfevents said {said} lines")
        if "(a bug)" in ours.stderr or "Traceback" in ours.stderr:
            found.wrong.append("tfevents failed: " + ours.stderr[-300:])
        differ = list(self._differences(found, theirs, ours))
        if differ and self._says_so_too(found, ours):
            found.right["another run of the engine"] += 1
        else:
            found.wrong += differ

    def _differences(self, found: Found, theirs: Told, ours: Told) -> Iterator[str]:
        for name in ("stdout", "stderr"):
            was = self._masked(getattr(theirs, name), found.step)
            now = self._masked(getattr(ours, name), found.step)
            if was == now:
                continue
            if _lines(was) == _lines(now):
                found.right["other order"] += 1
                continue
            left = Counter(was.splitlines())
            left.subtract(now.splitlines())
            lines = [f"{n:+d} {line}" for line, n in left.items() if n]
            yield f"{name} differs: " + " ⏎ ".join(lines)[:600]

    def _says_so_too(self, found: Found, ours: Told) -> bool:
        """Whether the engine alone, from the same beginning, prints that in one of several runs:
        where planning breaks off, what it had come to differs from run to run."""
        again = self.place / "again"
        for _ in range(AGAIN):
            shutil.rmtree(again, ignore_errors=True)
            shutil.copytree(self.place / f"step{found.number}" / "theirs", again, symlinks=True)
            told = self._call(again, [self.engine, *found.step.words], found.step)
            mine = replace(told, stdout=told.stdout.replace(str(again), str(self.theirs)))
            mine = replace(mine, stderr=told.stderr.replace(str(again), str(self.theirs)))
            if not list(self._differences(Found(0, 0, found.step), mine, ours)):
                return True
        return False

    def _masked(self, text: str, step: Step) -> str:
        text = OURS.sub("", text)
        if step.command == "plan":
            text = NOTE.sub("", text)
        for twin in (self.theirs, self.ours):
            text = text.replace(str(twin), "DIRECTORY")
        for pattern, word in MASKS:
            text = pattern.sub(word, text)
        return text

    def _compare_places(self, found: Found) -> None:
        """The states, and the objects themselves."""
        for name, of in (("state", _stored), ("objects", _objects)):
            was, now = of(self.theirs), of(self.ours)
            if was != now:
                found.wrong.append(f"{name} differ: {_difference(was, now)}")

    def _events(self) -> list[dict[str, Any]]:
        """Those of the runs that were not there before, the oldest first."""
        told = self._call(self.ours, [BIN / "tfevents", "log", "--json", "-n", "100"])
        if told.code:
            raise RuntimeError(f"tfevents log ends with {told.code}: {told.stderr}")
        runs = [r for r in json.loads(told.stdout)["runs"] if r["run_id"] not in self.seen]
        self.seen.update(r["run_id"] for r in runs)
        return [entry["event"] for run in runs for entry in run["events"]]


def _lines(text: str) -> list[str]:
    """In whatever order; a colour that one line ends is often taken back before the next one."""
    return sorted(RESETS.sub("\x1b[0m", text).splitlines())


def _difference(was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    odd = [name for name in was.keys() | now.keys() if was.get(name) != now.get(name)]
    return ", ".join(f"{n}: {was.get(n)!s:.150} / {now.get(n)!s:.150}" for n in sorted(odd))


def _stored(twin: Path) -> dict[str, Any]:
    path = twin / "terraform.tfstate"
    if not path.exists():
        return {}
    text = path.read_text()
    for pattern, word in MASKS:
        text = pattern.sub(word, text)
    stored = json.loads(text or "{}")
    found = {
        f"{r.get('module')} {r['mode']} {r['type']}.{r['name']}": r
        for r in stored.pop("resources", ())
        if r["instances"]  # what is left of a failed one is there or not, as it comes
    }
    for resource in found.values():  # keys of both kinds come in any order
        resource["instances"].sort(
            key=lambda one: (str(one.get("index_key")), one.get("deposed", ""))
        )
    stored.pop("serial", None), stored.pop("lineage", None)
    if stored.get("check_results"):
        for checked in stored["check_results"]:
            checked["objects"] = sorted(map(json.dumps, checked.get("objects") or ()))
        stored["check_results"] = sorted(map(json.dumps, stored["check_results"]))
    return {**stored, **found}


def _objects(twin: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in twin.glob("*.txt*")}


@dataclass
class Judge:
    """What tfevents reported of one run, held against the engine's word."""

    found: Found
    step: Step
    told: Told
    plan: Plan | None
    before: State
    after: State
    dialect: Dialect

    def judge(self, events: list[dict[str, Any]]) -> None:
        rows = [self._row(event) for event in events]
        if None in (expected := self._expected_rows()):
            self.found.right["row unknown"] += 1
        elif rows not in (expected, *self._also(expected)):
            self.found.wrong.append(f"events {rows}, expected {expected}")
        ends = [e for e in events if e["metadata"].get("activity_status")]
        if ends:
            self._judge_counts(ends[-1])

    def _row(self, event: dict[str, Any]) -> str:
        about = event.get("metadata", {})
        return " ".join(
            filter(
                None,
                (event["event_type"], about.get("activity_type"), about.get("activity_status")),
            )
        )

    def _also(self, expected: list[str | None]) -> Iterator[list[str | None]]:
        return iter(())

    @property
    def kind(self) -> str:
        """plan, apply, declined, unplanned (failed before it applied) or refresh."""
        if self.step.command in ("plan", "refresh"):
            return self.step.command
        if self.told.declined:
            return "declined"
        if self.told.code and not self.told.begun() and not self._applied:
            return "unplanned"
        return "apply"

    @property
    def _applied(self) -> bool:
        """Whether an apply that failed had begun to apply: it asked, or there was a plan."""
        if self.step.by_hand is None:
            refused = ("Cannot apply incomplete plan", "Cannot apply non-applyable plan")
            return not any(words in self.told.stderr + self.told.stdout for words in refused)
        if "Cannot apply non-applyable plan" in self.told.stderr + self.told.stdout:
            return False
        errored = self.plan is None or self.plan.shown.get("errored")
        return self.told.asked or not errored

    @property
    def operation(self) -> str:
        return "destroy" if self.step.destroys else "apply"

    def _expected_rows(self) -> list[str | None]:
        kind, good = self.kind, self.told.code == 0
        self.found.kind = kind + ("" if good else " failed")
        if kind == "plan":
            return [self._plan_row()]
        if kind == "declined":
            return ["apply_needed plan success"]
        activity = "apply" if kind == "refresh" else self.operation
        end = f"failed {activity} failure"
        if good or self._forgot_only:
            end = f"{'inactive' if self.after.empty else 'active'} {activity} success"
        start = "destroying destroy" if activity == "destroy" else "provisioning apply"
        return [*([start] if self._started else []), end]

    @property
    def _forgot_only(self) -> bool:
        """OpenTofu's exit code 1 of a destroy that forgets."""
        return "left behind forgotten instances" in self.told.stderr + self.told.stdout

    @property
    def _started(self) -> bool:
        if self.kind != "apply":
            return False
        acted = self.told.begun() or self._forgotten() or (self.told.code and not self._forgot_only)
        return self.told.asked or bool(acted)

    @property
    def _refused(self) -> bool:
        """Whether there was a plan that terraform does not apply: nothing was done, exactly."""
        return "Cannot apply " in self.told.stderr + self.told.stdout

    def _plan_row(self) -> str | None:
        refresh_only = self.step.has("-refresh-only")
        activity = "drifted" if refresh_only else "plan"
        if self.told.code == 1:
            return f"failed {activity} failure"
        if self.plan is None:
            return None
        if refresh_only:
            drifted = any(self.plan.drift().values())
            return f"{'drifted' if drifted else 'plan'} drifted success"
        return f"{'apply_needed' if self._applyable() else 'plan'} plan success"

    def _applyable(self) -> bool:
        assert self.plan is not None
        if "applyable" in self.plan.shown:
            return bool(self.plan.shown["applyable"])
        counts, moved = self.plan.counts(), self.plan.moved()
        outputs = self.plan.output_counts()
        acts = any(n for name, n in counts.items() if name != "unchanged")
        return acts or bool(moved) or any(n for x, n in outputs.items() if x != "unchanged")

    def _forgotten(self) -> set[str]:
        """What the plan said would be forgotten, and is not there any more."""
        planned = self.plan.forgets() if self.plan else set()
        return {address for address in planned if (address, "") not in self.after.objects}

    def _judge_counts(self, event: dict[str, Any]) -> None:
        about = event["metadata"]
        for name, expected in (
            ("resource_counts", self._resources()),
            ("output_counts", self._outputs()),
            ("drift_counts", self._drift()),
        ):
            told: Numbers | None = about.get(name)
            if told is None:
                if expected is not None:
                    self.found.absent.append(f"{name} of {self.found.kind}{self._why()}")
            elif expected is None:
                untouched = self._refused and not any(told[n] for n in NAMES if n != "unchanged")
                if not untouched:
                    self.found.wrong.append(f"{name} {_short(told)}, expected none")
            elif told not in self._allowed(name, expected):
                self.found.wrong.append(f"{name} {_short(told)}, expected {_short(expected)}")
            else:
                self.found.right[name] += 1

    def _allowed(self, name: str, expected: Numbers) -> list[Numbers]:
        return [expected]

    def _why(self) -> str:
        """What may be the reason of an absent count."""
        words = [w for w in ("-target", "-refresh-only", "-refresh") if self.step.has(w)]
        if self.step.by_hand is None:
            words.append("saved")
        begun = self.told.completed()
        return " " + "+".join([*words, *sorted(begun)]) if words or begun else ""

    def _resources(self) -> Numbers | None:
        kind = self.kind
        if kind in ("refresh", "unplanned"):
            return None
        if kind == "plan":
            if self.plan is None or (self.told.code == 1 and not self.plan.changes()):
                return None
            if not self.step.has("-refresh-only"):
                return self.plan.counts()
            return self._refresh_only(self.plan)
        if kind == "declined":
            if self.plan is None or self.step.has("-refresh-only"):
                return None
            return self.plan.counts()
        return self._applied_counts()

    def _refresh_only(self, plan: Plan) -> Numbers | None:
        if self.step.has("-target"):
            return None
        counts = plan.refresh_only_counts()
        counts["unchanged"] -= plan.drift()["changed"]
        return counts

    def _applied_counts(self) -> Numbers:
        told, plan = self.told, self.plan
        done = Counter(told.completed())
        imports = plan.imports() if plan else set()
        counts = {name: done[name] for name in NAMES}
        begun = told.begun()
        held = {address for address, _ in self.after.objects}
        counts["imported"] = len(imports & (held | begun))
        if closing := told.closing():
            # by address it can be too low: a current and a deposed object destroyed together
            for name in ("added", "changed", "imported"):
                counts[name] = closing[name]
            if closing["deleted"] > counts["deleted"]:
                counts["deleted"] = closing["deleted"]
        counts["removed"] = len(self._forgotten()) + self._deposed_forgotten() + self._remade()
        counts["unchanged"] = len(self._unchanged(begun, imports))
        return counts

    def _remade(self) -> int:
        """Forgotten and made anew."""
        pairs = [
            c
            for c in (self.plan.changes() if self.plan else ())
            if set(c["change"]["actions"]) == {"create", "forget"}
        ]
        gone = self._forgotten()
        return sum(c["address"] in self.told.begun() and c["address"] not in gone for c in pairs)

    def _deposed_forgotten(self) -> int:
        planned = self.plan.changes() if self.plan else ()
        return sum(
            c["change"]["actions"] == ["forget"]
            and bool(c.get("deposed"))
            and (c["address"], "") in self.after.objects
            and (c["address"], c["deposed"]) not in self.after.objects
            for c in planned
        )

    def _unchanged(self, begun: set[str], imports: set[str]) -> set[str]:
        stay = self.before.current() & self.after.current()
        moved = self.plan.moved() if self.plan else set()
        touched = (begun | self.told.failed()) - self._left_alone()
        return stay - touched - imports - moved

    def _left_alone(self) -> set[str]:
        """Current objects that the plan does nothing about; a deposed one has the same address."""
        planned = self.plan.changes() if self.plan else ()
        return {
            c["address"]
            for c in planned
            if c["change"]["actions"] == ["no-op"] and not c.get("deposed")
        }

    def _outputs(self) -> Numbers | None:
        kind = self.kind
        if kind == "plan":
            return self.plan.output_counts() if self.plan else None
        if kind in ("refresh", "unplanned", "declined"):
            return None
        return outputs_between(self.before, self.after)

    def _drift(self) -> Numbers | None:
        kind = self.kind
        if self.plan is None or kind in ("refresh", "unplanned", "declined"):
            return None
        if self.operation == "destroy" or self.step.has("-refresh"):
            return None
        if kind == "apply" and self.told.code and self.step.by_hand is not None:
            return None
        return self.plan.drift()


def _short(numbers: Numbers) -> str:
    return " ".join(f"{name[0]}{n}" for name, n in numbers.items() if n) or "zeros"
