"""A workshop makes the plan of an estate: in a directory of its own, with a real tool."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from random import Random

from support.engines import clean_env
from support.planfile.estate import CHILD, EDITS, REMOTE_STATE, Configuration, Estate, estate

MODULES = '{"Modules":[{"Key":"","Source":"","Dir":"."}%s]}'
CALL = ',{"Key":"%s","Source":"./child","Dir":"child"}'


@dataclass(frozen=True)
class Made:
    """A plan file, and `show -json` of it."""

    saved: Path
    shown: bytes


@dataclass(frozen=True)
class Workshop:
    """A tool of one version; its environment has nothing of this machine's."""

    tool: Path
    version: tuple[int, int]
    home: Path

    def make(self, seed: int) -> Made | None:
        """The plan of a seed; None if the tool makes none of it."""
        return self.make_of(self.case(seed), str(seed))

    def case(self, seed: int) -> Estate:
        """The estate of a seed."""
        return estate(seed, self.version)

    def make_of(self, case: Estate, name: str) -> Made | None:
        """The plan of an estate, made in a directory of its own; None if the tool makes none of
        it."""
        place = self.home / name
        _lay_out(place)
        if case.before and not self._build(place, case):
            return None
        _write(place, case.after)
        self._run(place, "plan", "-input=false", "-out=plan.tfplan", *case.flags)
        return self.show(place) if (place / "plan.tfplan").exists() else None

    def show(self, place: Path) -> Made:
        """The plan in `place`, with the tool's JSON of it."""
        shown = self._run(place, "show", "-json", "plan.tfplan")
        return Made(place / "plan.tfplan", shown.stdout)

    def _build(self, place: Path, case: Estate) -> bool:
        assert case.before
        _write(place, case.before)
        self._run(place, "apply", "-input=false", "-auto-approve")
        path = place / "terraform.tfstate"
        if not path.exists():
            return False
        state = json.loads(path.read_text())
        for name in case.edits:
            EDITS[name](Random(name), state)
        state["resources"] = [found for found in state["resources"] if found["instances"]]
        path.write_text(json.dumps(state))
        return True

    def _run(self, place: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
        env = clean_env(self.home / "home", self.tool)
        command = [str(self.tool), *words]
        return subprocess.run(command, cwd=place, env=env, capture_output=True, check=False)


def _lay_out(place: Path) -> None:
    (place / "child").mkdir(parents=True)
    (place / ".terraform" / "modules").mkdir(parents=True)
    (place / "child" / "main.tf").write_text(CHILD)
    (place / "remote.tfstate").write_text(json.dumps(REMOTE_STATE))


def _write(place: Path, configuration: Configuration) -> None:
    """Writes the configuration, and the list of its modules that `init` would write."""
    (place / "main.tf").write_text(configuration.text())
    calls = "".join(CALL % call.split('"')[1] for call in configuration.calls)
    (place / ".terraform" / "modules" / "modules.json").write_text(MODULES % calls)
