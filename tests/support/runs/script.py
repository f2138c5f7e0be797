"""A run as a frozen record: what becomes of a directory, turn by turn; nothing of it is chance."""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec
from msgspec.structs import replace

_NOT_OF_A_PLAN = ("-auto-approve", "-json", "-detailed-exitcode", "-out", "-compact-warnings")


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody does to the files, and the command that is given then.

    `files` are written, or removed where the text is None; `before` are commands of the engine
    alone, whatever comes of them. With `saved` it makes saved.plan with those flags then; where it
    can't, planning with them is the command instead. `env` is the command's alone. With `chdir`
    the command is given beside the directory.
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
        """The flags of a plan by hand that tells what it is to do; None for a saved plan's."""
        if self.saved is not None:
            return None
        flags = [word for word in self._given if not word.startswith(_NOT_OF_A_PLAN)]
        return (*flags, *(["-destroy"] if self.command == "destroy" else []))

    def has(self, flag: str) -> bool:
        """Whether it, or the saved plan, was given a flag."""
        words = (*self._given, *(self.saved or ()))
        return any(word == flag or word.startswith(f"{flag}=") for word in words)

    @property
    def _given(self) -> list[str]:
        """What follows the subcommand, by the environment and as typed."""
        names = ("TF_CLI_ARGS", f"TF_CLI_ARGS_{self.command}")
        given = [word for name in names for word in shlex.split(self.env.get(name, ""))]
        return [*given, *self.words[1:]]

    @property
    def destroys(self) -> bool:
        """`destroy`, whatever it is called."""
        return self.command == "destroy" or self.has("-destroy")

    def as_plan(self) -> Turn:
        """Planning what could not be saved."""
        return replace(self, words=("plan", *(self.saved or ())), saved=None)


class Script(msgspec.Struct, frozen=True, omit_defaults=True):
    """All turns, of which engine, and what they once showed."""

    engine: str
    turns: tuple[Turn, ...]
    about: str = ""


def read_script(path: Path) -> Script:
    """As `write_script` wrote it."""
    return msgspec.json.decode(path.read_bytes(), type=Script)


def write_script(path: Path, script: Script) -> None:
    """For people to read, and for `--replay`."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(script)) + b"\n")
