"""Generates random turns: a configuration that keeps changing, what happens outside it, a
command."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from support.runs import world as worlds
from support.runs.engineword import State, find_state
from support.runs.script import Turn
from support.runs.world import Dialect, World

COMMANDS = {"apply": 24, "destroy": 6, "plan": 8, "saved": 8, "refresh": 2, "import": 3}
_TROUBLE = (".trouble", ".unprovisioned", ".undestroyed")


@dataclass
class Generator:
    """Random turns of one seed. `twin` is the directory in which they are taken; what they leave
    there influences the next one."""

    dialect: Dialect
    seed: int
    twin: Path
    chance: random.Random = field(init=False)
    world: World = field(init=False)
    written: dict[str, str | None] = field(default_factory=dict)
    """The current contents of the configuration's files."""
    workspaces: list[str] = field(default_factory=lambda: ["default"])

    def __post_init__(self) -> None:
        major, minor = self.dialect.version
        self.chance = random.Random(f"{self.dialect.product} {major}.{minor} {self.seed}")
        self.world = World(self.chance, self.dialect)
        self.world.begin()

    def turns(self, number: int) -> Iterator[Turn]:
        """Generates this many turns."""
        for n in range(number):
            yield self._turn(first=n == 0)

    def _turn(self, *, first: bool) -> Turn:
        files = self._configuration(first=first)
        files.update(self._drift())
        files.update(self._trouble())
        before = [] if first else list(self._aside())
        command = "apply" if first else self._weighted(COMMANDS)
        turn = replace(self._command(command), files=files, before=tuple(before))
        chdir = self.chance.random() < 0.08
        return replace(turn, env=self._environment(turn), chdir=chdir)

    def _weighted(self, kinds: Mapping[str, int]) -> str:
        (kind,) = self.chance.choices([*kinds], [*kinds.values()])
        return kind

    def _aside(self) -> Iterator[tuple[str, ...]]:
        """Commands that a user runs with the engine alone before the turn."""
        chance, held = self.chance, self._addresses()
        if held and chance.random() < 0.12:
            yield (chance.choice(["taint", "taint", "untaint"]), chance.choice(held))
        if held and chance.random() < 0.05:
            yield ("state", "rm", chance.choice(held))
        if chance.random() < 0.06:
            self.workspaces.append(f"w{len(self.workspaces)}")
            yield ("workspace", "new", self.workspaces[-1])
        elif len(self.workspaces) > 1 and chance.random() < 0.3:
            yield ("workspace", "select", chance.choice(self.workspaces))

    def _addresses(self) -> list[str]:
        return sorted(State.read(find_state(self.twin, {})).current())

    def _environment(self, turn: Turn) -> dict[str, str]:
        chance, env = self.chance, {}
        if chance.random() < 0.1:
            flags = ["-no-color", "-compact-warnings", "-parallelism=2", "-lock=false"]
            flags += [] if turn.saved is not None else ["-var=v=b", "-refresh=false"]
            env[f"TF_CLI_ARGS_{turn.command}"] = chance.choice(flags)
        if chance.random() < 0.05:
            env["TF_CLI_ARGS"] = chance.choice(["-no-color", "-input=false"])
        if chance.random() < 0.1:
            env[chance.choice(["TF_IN_AUTOMATION", "TF_INPUT", "TF_VAR_v"])] = "0"
        if len(self.workspaces) > 1 and chance.random() < 0.1:
            env["TF_WORKSPACE"] = chance.choice(self.workspaces)
        return env

    def _configuration(self, *, first: bool) -> dict[str, str | None]:
        """The files that have changed since the last turn."""
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
            return dict(worlds.drift(self.chance, find_state(self.twin, {})))
        return {}

    def _trouble(self) -> dict[str, str | None]:
        if self.chance.random() < 0.45:
            return dict(worlds.trouble(self.chance, self.world, self._paths()))
        if self.chance.random() < 0.4:
            return {p.name: None for p in self.twin.iterdir() if p.suffix in _TROUBLE}
        return {}

    def _paths(self) -> list[str]:
        """The paths of objects, according to the state."""
        state = State.read(find_state(self.twin, {}))
        attributes = (instance.get("attributes") or {} for instance in state.objects.values())
        return sorted({a["path"] for a in attributes if "path" in a})

    def _command(self, command: str) -> Turn:
        if command == "refresh":
            return Turn(("refresh",))
        if command == "import":
            return self._import()
        flags = self._planning_flags(command)
        if command == "saved":
            return Turn(("apply", *self._some("-json"), "saved.plan"), saved=tuple(flags))
        if command == "plan":
            extra = self._some("-detailed-exitcode", "-json", "-out=kept.plan")
            return Turn(("plan", *flags, *extra))
        if self.chance.random() < 0.65:
            return Turn((command, *flags, "-auto-approve", *self._some("-json")))
        typed = self.chance.choice(["yes\n", "yes\n", "no\n", "", "YES\n"])
        return Turn((command, *flags), typed=typed)

    def _import(self) -> Turn:
        """An import of an object that exists or not, to an address that is free or not."""
        items = [item.place for item in self.world.items if not item.module]
        address = self.chance.choice([*items, "files_object.nowhere"])
        return Turn(("import", *self._some("-no-color"), address, self._object()))

    def _object(self) -> str:
        names = sorted(path.name for path in self.twin.glob("*.txt"))
        return self.chance.choice([*names, "absent.txt"])

    def _planning_flags(self, command: str) -> list[str]:
        """Flags that plan and apply have in common."""
        mode = ""
        if command != "destroy":
            mode = self._weighted({"": 12, "-refresh-only": 2, "-destroy": 1})
        flags = [
            *([mode] if mode else []),
            *self._selection(plain=not mode and command != "destroy"),
        ]
        if mode != "-refresh-only":
            flags += self._some("-refresh=false", often=0.12)
        if self.chance.random() < 0.35:
            flags.append(f"-var=v={self.chance.choice(['b', 'b', 'p', 'longer'])}")
        flags += [*self._some("-no-color", often=0.5), *self._some("-parallelism=1", often=0.2)]
        rare = ("-compact-warnings", "-input=false", "-lock=false", *self.dialect.flags)
        return [*flags, *self._some(*rare, often=0.06)]

    def _selection(self, *, plain: bool) -> Iterator[str]:
        """Random flags that name an address."""
        addresses = self._addresses()
        addresses += [item.place for item in self.world.items if not item.module]
        addresses.append("module.m")
        names = {"-target": 0.15}
        names |= {"-exclude": 0.12} if self.dialect.excludes else {}
        names |= {"-replace": 0.12} if plain else {}
        for name, often in names.items():
            if addresses and self.chance.random() < often:
                yield f"{name}={self.chance.choice(addresses)}"

    def _some(self, *flags: str, often: float = 0.22) -> list[str]:
        return [flag for flag in flags if self.chance.random() < often]
