"""Plays turns in twin directories, the engine's and tf's, and finds what differs."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from support import files
from support.engines import clean_env
from support.runs.compare import (
    count_ours,
    difference,
    masked,
    read_objects,
    read_states,
    stream_differences,
)
from support.runs.engineword import Plan, State, Told, find_state, find_workspace
from support.runs.facts import Truth, compare_facts
from support.runs.found import Found
from support.runs.judge import Judge
from support.runs.script import Turn

NOTHING: Mapping[str, str] = {}
TF = Path(sys.executable).with_name("tf")
"""The installed `tf`."""
AGAIN = 20


@dataclass
class Player:
    """`theirs` and `ours` are the twins under `place`, for the engine alone and for `program`, the
    `tf` under test."""

    engine: Path
    place: Path
    program: Path = TF
    env: dict[str, str] = field(init=False)
    version: str = ""
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.theirs, self.ours = self.place / "theirs" / "p", self.place / "ours" / "p"
        shutil.rmtree(self.place, ignore_errors=True)
        self.env = clean_env(self.place / "home", self.engine)
        self.env |= files.provider_env(self.place / "home")
        self.env["TFEVENTS_HOME"] = str(self.place / "home" / "tfevents")
        self.env["TFEVENTS_PROVISIONER"] = str(self.engine)
        for twin in (self.theirs, self.ours):
            (twin / "m").mkdir(parents=True)
            (twin / "seed.txt").write_text("seed")

    def play(self, turns: Iterable[Turn]) -> Iterator[Found]:
        """Takes each turn and yields its findings; a turn may be generated from what the one before
        has left."""
        for number, turn in enumerate(turns):
            self._put(turn.files)
            if number == 0:
                self._init()
            self._prepare(turn)
            yield self._take(number, self._save(turn))

    def _init(self) -> None:
        done = self._call(self.theirs, [self.engine, "init", "-no-color", "-input=false"])
        if done.code:
            raise RuntimeError(f"init fails: {done.stderr}{done.stdout}")
        told = self._call(self.theirs, [self.engine, "version", "-json"])
        self.version = json.loads(told.stdout)["terraform_version"]
        for name in (".terraform", ".terraform.lock.hcl"):  # neither exists if nothing is installed
            source, target = self.theirs / name, self.ours / name
            if source.is_dir():
                shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
            elif source.exists():
                shutil.copy(source, target)

    def _put(self, texts: dict[str, str | None]) -> None:
        for name, text in texts.items():
            for twin in (self.theirs, self.ours):
                if text is None:
                    (twin / name).unlink(missing_ok=True)
                else:
                    (twin / name).parent.mkdir(parents=True, exist_ok=True)
                    (twin / name).write_text(text)

    def _prepare(self, turn: Turn) -> None:
        for words in turn.before:
            for twin in (self.theirs, self.ours):
                self._call(twin, [self.engine, *words])

    def _save(self, turn: Turn) -> Turn:
        """Makes the turn's saved plan with the engine alone; returns the turn, or just planning if
        that fails."""
        if turn.saved is None:
            return turn
        words = ["plan", "-input=false", "-out=saved.plan", *turn.saved]
        for twin in (self.theirs, self.ours):
            (twin / "saved.plan").unlink(missing_ok=True)
            if self._help(twin, turn, words).code:
                return turn.as_plan()
        return turn

    def _take(self, number: int, turn: Turn) -> Found:
        found = Found(turn)
        stored = find_state(self.theirs, turn.env)
        before = State.read(stored)
        plan = self._plan(turn)
        self._keep(number)
        theirs, ours = (
            self._run(self.theirs, self.engine, turn),
            self._run(self.ours, self.program, turn),
        )
        after = State.read(stored)
        self._compare_streams(number, found, theirs, ours)
        self._compare_places(found)
        events = self._events()
        Judge(found, turn, theirs, plan, before, after).judge(events)
        self._judge_facts(found, events[-1:], ours)
        if found.wrong:
            self._write_down(number, turn, theirs, ours, events)
        else:
            shutil.rmtree(self._kept(number))
        return found

    def _judge_facts(self, found: Found, last: list[dict[str, Any]], ours: Told) -> None:
        """Checks the facts of the event that ends the run."""
        pulled = self._help(self.ours, found.turn, ["state", "pull"]).stdout
        workspace = find_workspace(self.ours, found.turn.env)
        truth = Truth(self.version, workspace, ours.code, pulled)
        for event in last:
            for name, wrong in compare_facts(event, truth):
                found.wrong += [wrong] if wrong else []
                found.right[f"fact {name}"] += not wrong

    def _kept(self, number: int) -> Path:
        return self.place / f"turn{number + 1}"

    def _keep(self, number: int) -> None:
        """Copies the directories as they are before a turn, so that it can be repeated."""
        for twin, side in ((self.theirs, "theirs"), (self.ours, "ours")):
            shutil.copytree(twin, self._kept(number) / side, symlinks=True)

    def _write_down(
        self, number: int, turn: Turn, theirs: Told, ours: Told, events: list[dict[str, Any]]
    ) -> None:
        kept = self._kept(number)
        env = " ".join(
            f"{name}={shlex.quote(value)}"
            for name, value in sorted(self.env.items())
            if name.startswith(("TF", "CHECK"))
        )
        env += "".join(f" {name}={shlex.quote(value)}" for name, value in turn.env.items())
        typed = f"printf {shlex.quote(turn.typed)} | " if turn.typed else "</dev/null "
        words = shlex.join(turn.words)
        (kept / "again.sh").write_text(
            f"export {env}\n(cd {kept}/theirs; {typed}{self.engine} {words})\n"
            f"(cd {kept}/ours; {typed}{self.program} {words})\n"
        )
        for name, told in (("theirs", theirs), ("ours", ours)):
            (kept / f"{name}.out").write_text(told.stdout)
            (kept / f"{name}.err").write_text(told.stderr)
        (kept / "events.json").write_text(json.dumps(events, indent=1))

    def _plan(self, turn: Turn) -> Plan | None:
        """The plan of the turn's command, made by the engine itself; None if it can't be
        planned."""
        if turn.planned is None:
            return self._show("saved.plan")
        out = self.place / "by-hand.plan"
        out.unlink(missing_ok=True)
        words = ["plan", *turn.planned, "-input=false", "-lock=false", f"-out={out}"]
        told = self._help(self.theirs, turn, words)
        plan = self._show(str(out)) if out.exists() else None
        # Terraform 1.5 does not note in a plan that planning failed
        return replace(plan, shown={**plan.shown, "errored": True}) if plan and told.code else plan

    def _show(self, name: str) -> Plan | None:
        shown = self._call(self.theirs, [self.engine, "show", "-json", name])
        start = shown.stdout.find('{"format_version"')
        return Plan(json.loads(shown.stdout[start:])) if shown.code == 0 else None

    def _run(self, twin: Path, program: Path, turn: Turn) -> Told:
        """Runs the turn's command with the engine or with `tf`."""
        cwd, words = twin, turn.words
        if turn.chdir:
            cwd, words = twin.parent, (f"-chdir={twin.name}", *words)
        told = self._call(cwd, [program, *words], turn.typed, turn.env)
        return replace(told, json=turn.has("-json"))

    def _help(self, twin: Path, turn: Turn, words: list[str]) -> Told:
        """Runs another command of the engine, in the same workspace."""
        env = {name: text for name, text in turn.env.items() if "CLI_ARGS" not in name}
        return self._call(twin, [self.engine, *words], env=env)

    def _call(
        self, cwd: Path, command: list[Any], typed: str = "", env: Mapping[str, str] = NOTHING
    ) -> Told:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env={**self.env, **env},
            input=typed.encode(),
            capture_output=True,
            timeout=240,
            check=False,
        )
        return Told(done.stdout.decode(), done.stderr.decode(), done.returncode)

    def _compare_streams(self, number: int, found: Found, theirs: Told, ours: Told) -> None:
        if (said := count_ours(ours)) > 1:
            found.wrong.append(f"tfevents said {said} lines")
        if "(a bug)" in ours.stderr or "Traceback" in ours.stderr:
            found.wrong.append("tfevents failed: " + ours.stderr[-300:])
        differ = self._differences(found, theirs, ours)
        if differ and self._says_so_too(number, found, ours):
            found.right["another run of the engine"] += 1
        else:
            found.wrong += differ

    def _differences(self, found: Found, theirs: Told, ours: Told) -> list[str]:
        """The differences of both streams and of the exit code; another order of the lines is
        none."""
        wrong = []
        if theirs.code != ours.code:
            wrong.append(f"exit code {ours.code}, the engine's {theirs.code}")
        for name in ("stdout", "stderr"):
            was, now = (
                masked(getattr(told, name), found.turn, self.theirs, self.ours)
                for told in (theirs, ours)
            )
            if was != now:
                differ = stream_differences(name, was, now)
                wrong += differ
                found.right["other order"] += not differ
        return wrong

    def _says_so_too(self, number: int, found: Found, ours: Told) -> bool:
        """Whether the engine alone, from the same beginning, prints the same as `tf` in one of
        several runs: if planning fails, how far it got differs from run to run."""
        again = self.place / "again"
        for _ in range(AGAIN):
            shutil.rmtree(again, ignore_errors=True)
            shutil.copytree(self._kept(number) / "theirs", again, symlinks=True)
            told = self._run(again, self.engine, found.turn)
            mine = replace(told, stdout=told.stdout.replace(str(again), str(self.theirs)))
            mine = replace(mine, stderr=told.stderr.replace(str(again), str(self.theirs)))
            if not self._differences(Found(found.turn), mine, ours):
                return True
        return False

    def _compare_places(self, found: Found) -> None:
        """Compares the states, and the objects themselves."""
        states, objects = (
            tuple(read(twin) for twin in (self.theirs, self.ours))
            for read in (read_states, read_objects)
        )
        for name, (was, now) in (("state", states), ("objects", objects)):
            if was != now:
                found.wrong.append(f"{name} differ: {difference(was, now)}")

    def _events(self) -> list[dict[str, Any]]:
        """The events of the runs that are new, the oldest first."""
        log = [self.program.with_name("tfevents"), "log", "--json", "-n", "100"]
        told = self._call(self.ours, log)
        if told.code:
            raise RuntimeError(f"tfevents log ends with {told.code}: {told.stderr}")
        runs = [r for r in json.loads(told.stdout)["runs"] if r["run_id"] not in self.seen]
        self.seen.update(r["run_id"] for r in runs)
        return [entry["event"] for run in runs for entry in run["events"]]
