"""The scratch directory: projects, homes, and the environment of what runs there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from msgspec import Struct

from tfevents.selftest.check import Differs
from tfevents.selftest.commands import CommandResult, run_command

OF_THE_MACHINE = ("PATH", "LANG", "LC_ALL", "TERM", "TMPDIR", "TZ")
"""All that a scratch run inherits: no setting, key or credential of the user's decides here."""
NUMBERS = count()


class Project(Struct, frozen=True):
    """A directory with a configuration, and the environment of its runs."""

    directory: Path
    env: Mapping[str, str]

    def __repr__(self) -> str:
        """Without the environment, which holds secrets."""
        return f"Project({str(self.directory)!r})"

    def write(self, files: Mapping[str, str]) -> None:
        """These files, and no other configuration."""
        for old in self.directory.glob("*.tf"):
            old.unlink()
        for name, text in files.items():
            (self.directory / name).write_text(text)


class Scratch(Struct, frozen=True):
    """`engine` is the real binary, `tf` the wrapper; everything is made below `root`.

    `env`: of the machine, of which little is passed on.
    """

    root: Path
    engine: Path
    tf: Path
    env: Mapping[str, str]

    def __repr__(self) -> str:
        """Without the environment, which holds secrets."""
        return f"Scratch({str(self.root)!r})"

    def make_project(self, files: Mapping[str, str], **variables: str) -> Project:
        """An initialised directory of its own with a home of its own."""
        project = self.make_bare_project(files, **variables)
        done = run_command([self.engine, "init", "-no-color"], project.directory, project.env)
        if done.exit_code:
            raise Differs(f"{self.engine.name} init failed: {first_line(done.stderr)}")
        return project

    def make_bare_project(self, files: Mapping[str, str], **variables: str) -> Project:
        """The same, before `init`."""
        place = self.root / f"run-{next(NUMBERS)}"
        project = Project(place / "project", self._environment(place / "home", variables))
        for directory in (project.directory, place / "home"):
            directory.mkdir(parents=True)
        project.write(files)
        return project

    def _environment(self, home: Path, variables: Mapping[str, str]) -> dict[str, str]:
        kept = {name: self.env[name] for name in OF_THE_MACHINE if name in self.env}
        return {
            **kept,
            "HOME": str(home),
            "TF_CLI_CONFIG_FILE": os.devnull,
            "CHECKPOINT_DISABLE": "1",
            "TFEVENTS_HOME": str(home / "tfevents"),
            "TFEVENTS_PROVISIONER": str(self.engine),
            **variables,
        }

    def run_bare(self, project: Project, *words: str, stdin: bytes = b"") -> CommandResult:
        """The engine itself."""
        return run_command([self.engine, *words], project.directory, project.env, stdin)

    def run_wrapped(self, project: Project, *words: str, stdin: bytes = b"") -> CommandResult:
        """The same words to `tf`."""
        return run_command([self.tf, *words], project.directory, project.env, stdin)

    def run_tfevents(self, project: Project, *words: str) -> CommandResult:
        """A command of tfevents' own, of the same installation."""
        program = self.tf.with_name("tfevents")
        return run_command([program, *words], project.directory, project.env)


def first_line(text: bytes) -> str:
    """The first line that says anything, of at most 200 characters."""
    lines = (line.strip() for line in text.decode(errors="replace").splitlines())
    return next((line for line in lines if line.strip("\u2577\u2502 ")), "")[:200]
