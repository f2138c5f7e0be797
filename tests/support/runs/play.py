"""Plays a random run of one engine, or a script, from beginning to end."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from support.runs.found import Found
from support.runs.generate import Generator
from support.runs.player import TF, Player
from support.runs.script import Script, Turn
from support.runs.shrink import kinds_of, shrink
from support.runs.world import Dialect


@cache
def ask_dialect(engine: Path) -> Dialect:
    """Product and version of an engine, as it prints them."""
    said = subprocess.run(
        [engine, "version"],
        capture_output=True,
        check=True,
        text=True,
        env={"CHECKPOINT_DISABLE": "1", "HOME": "/nowhere"},
    )
    found = re.search(r"(Terraform|OpenTofu) v(\d+)\.(\d+)", said.stdout)
    assert found, said.stdout
    return Dialect(found[1], (int(found[2]), int(found[3])))


@dataclass(frozen=True)
class Trial:
    """Runs of the engine called `name`, alone and through `program`, the `tf` under test, in
    `place`.

    Only the directories of runs in which something was wrong are kept.
    """

    name: str
    engine: Path
    place: Path
    program: Path = TF

    def play_seed(self, seed: int, commands: int) -> list[Found]:
        """The findings of each command of a random run."""
        player = self._player(f"seed{seed}")
        turns = Generator(ask_dialect(self.engine), seed, player.theirs).turns(commands)
        return self._end(player, turns)

    def play_script(self, script: Script) -> list[Found]:
        """The findings of each turn of a script."""
        player = self._player("script")
        return self._end(player, script.turns)

    def shrink(self, found: Sequence[Found], attempts: int) -> Script:
        """The smallest script that still has a finding of one of these kinds."""
        wrong = next(n for n, one in enumerate(found, 1) if one.wrong)
        about = "; ".join(found[wrong - 1].wrong)
        script = Script(self.name, tuple(one.turn for one in found[:wrong]), about)
        return shrink(script, partial(self._shows, kinds_of(found)), attempts)

    def _shows(self, kinds: set[str], script: Script) -> bool:
        return bool(kinds & kinds_of(self.play_script(script)))

    def _player(self, title: str) -> Player:
        return Player(self.engine, self.place / title, self.program)

    def _end(self, player: Player, turns: Iterable[Turn]) -> list[Found]:
        try:
            found = list(player.play(turns))
        except subprocess.TimeoutExpired as late:
            words = tuple(map(str, late.cmd[1:]))
            found = [Found(Turn(words), [f"endless: not over after {late.timeout} seconds"])]
        except RuntimeError as broken:
            found = [Found(Turn(("init",)), [f"broken: {broken!s:.300}"])]
        if not any(one.wrong for one in found):
            shutil.rmtree(player.place)
        return found
