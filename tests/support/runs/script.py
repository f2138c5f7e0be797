"""A script is a run as a frozen record: what is done in a directory, turn by turn, without
chance."""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec
from msgspec.structs import replace

_NOT_OF_A_PLAN = ("-auto-approve", "-json", "-detailed-exitcode", "-out", "-compact-warnings")


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """A turn: what is done to the files, and the command that is run then.

    `files` are written, or removed if the text is None; `before` are commands of the engine alone,
    which may fail. With `saved`, saved.plan is made with those flags first; if that fails, planning
    with them is the command instead. `env` is for the command only. With `chdir` the command is run
    from the parent directory. `typed` is its stdin.
    """

    words: tuple[str, ...]
    files: dict[str, str | None] = {}
    before: tuple[tuple[str, ...], ...] = ()
    env: dict[str, str] = {}
    chdir: bool = False
    typed: str = ""
    saved: tuple[str, ...] | None = None

    @property
    def command(self) -> str:
        """The subcommand."""
        return self.words[0]

    @property
    def planned(self) -> tuple[str, ...] | None:
        """The flags of a plan by hand that shows what the command would do; None for a saved
        plan."""
        if self.saved is not None:
            return None
        flags = [word for word in self._given if not word.startswith(_NOT_OF_A_PLAN)]
        return (*flags, *(["-destroy"] if self.command == "destroy" else []))

    def has(self, flag: str) -> bool:
        """Whether the command, or its saved plan, was given a flag."""
        words = (*self._given, *(self.saved or ()))
        return any(word == flag or word.startswith(f"{flag}=") for word in words)

    @property
    def _given(self) -> list[str]:
        """What follows the subcommand, from TF_CLI_ARGS* and the command line."""
        names = ("TF_CLI_ARGS", f"TF_CLI_ARGS_{self.command}")
        given = [word for name in names for word in shlex.split(self.env.get(name, ""))]
        return [*given, *self.words[1:]]

    @property
    def destroys(self) -> bool:
        """Whether the command is `destroy`, or has `-destroy`."""
        return self.command == "destroy" or self.has("-destroy")

    def as_plan(self) -> Turn:
        """The turn with planning as its command, for a plan that could not be saved."""
        return replace(self, words=("plan", *(self.saved or ())), saved=None)


class Script(msgspec.Struct, frozen=True, omit_defaults=True):
    """All turns of a run, the engine's name, and what the run once showed."""

    engine: str
    turns: tuple[Turn, ...]
    about: str = ""


def read_script(path: Path) -> Script:
    """Reads what `write_script` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=Script)


def write_script(path: Path, script: Script) -> None:
    """Writes a script for people to read, and for `--replay`."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(script)) + b"\n")
