"""Random turns: a configuration that goes on changing, what happens beside it, a command."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from support.runs import world as worlds
from support.runs.engineword import State
from support.runs.script import Turn
from support.runs.world import Dialect, World

_TROUBLE = (".trouble", ".unprovisioned", ".undestroyed")


@dataclass
class Generator:
    """`twin` is where the turns are taken; what they leave there has a part in the next one."""

    dialect: Dialect
    seed: int
    twin: Path
    chance: random.Random = field(init=False)
    world: World = field(init=False)
    written: dict[str, str | None] = field(default_factory=dict)
    """What the configuration's files hold."""

    def __post_init__(self) -> None:
        major, minor = self.dialect.version
        self.chance = random.Random(f"{self.dialect.product} {major}.{minor} {self.seed}")
        self.world = World(self.chance, self.dialect)
        self.world.begin()

    def turns(self, number: int) -> Iterator[Turn]:
        """So many."""
        for n in range(number):
            yield self._turn(first=n == 0)

    def _turn(self, *, first: bool) -> Turn:
        files = self._configuration(first=first)
        files.update(self._drift())
        files.update(self._trouble())
        command = "apply"
        if not first:
            kinds = {"apply": 12, "destroy": 3, "plan": 4, "saved": 4, "refresh": 1}
            (command,) = self.chance.choices([*kinds], [*kinds.values()])
        return self._command(command, files)

    def _configuration(self, *, first: bool) -> dict[str, str | None]:
        """The files that are other ones than before."""
        if first or self.chance.random() < 0.7:
            if not first:
                self.world.edit()
            texts: dict[str, str | None] = dict(self.world.files())
            changed = {n: text for n, text in texts.items() if self.written.get(n) != text}
            self.written = texts
            found = dict.fromkeys(self.world.imported, "found")
            self.world.imported.clear()
            return {**changed, **found}
        return {}

    def _drift(self) -> dict[str, str | None]:
        if self.chance.random() < 0.4:
            return dict(worlds.drift(self.chance, self.twin / "terraform.tfstate"))
        return {}

    def _trouble(self) -> dict[str, str | None]:
        if self.chance.random() < 0.45:
            return dict(worlds.trouble(self.chance, self.world, self._paths()))
        if self.chance.random() < 0.4:
            return {p.name: None for p in self.twin.iterdir() if p.suffix in _TROUBLE}
        return {}

    def _paths(self) -> list[str]:
        """Where objects are, by the state."""
        state = State.read(self.twin / "terraform.tfstate")
        attributes = (instance.get("attributes") or {} for instance in state.objects.values())
        return sorted({a["path"] for a in attributes if "path" in a})

    def _command(self, command: str, files: dict[str, str | None]) -> Turn:
        if command == "refresh":
            return Turn(("refresh",), files)
        flags = self._planning_flags(command)
        if command == "saved":
            return Turn(("apply", *self._some("-json"), "saved.plan"), files, saved=tuple(flags))
        if command == "plan":
            extra = self._some("-detailed-exitcode", "-json", "-out=kept.plan")
            return Turn(("plan", *flags, *extra), files)
        if self.chance.random() < 0.65:
            return Turn((command, *flags, "-auto-approve", *self._some("-json")), files)
        typed = self.chance.choice(["yes\n", "yes\n", "no\n", "", "YES\n"])
        return Turn((command, *flags), files, typed)

    def _some(self, *flags: str) -> list[str]:
        return [flag for flag in flags if self.chance.random() < 0.22]

    def _planning_flags(self, command: str) -> list[str]:
        """Flags that plan and apply have in common."""
        chance = self.chance
        mode = ""
        if command != "destroy":
            (mode,) = chance.choices(["", "-refresh-only", "-destroy"], [12, 2, 1])
        flags = [mode] if mode else []
        addresses = sorted(State.read(self.twin / "terraform.tfstate").current())
        addresses += [item.place for item in self.world.items if not item.module]
        if mode != "-refresh-only" and chance.random() < 0.12:
            flags.append("-refresh=false")
        if addresses and chance.random() < 0.15:
            flags.append(f"-target={chance.choice(addresses)}")
        if addresses and not mode and command != "destroy" and chance.random() < 0.12:
            flags.append(f"-replace={chance.choice(addresses)}")
        if chance.random() < 0.35:
            flags.append(f"-var=v={chance.choice(['b', 'b', 'p', 'longer'])}")
        if chance.random() < 0.5:
            flags.append("-no-color")
        if chance.random() < 0.2:
            flags.append("-parallelism=1")
        return flags
