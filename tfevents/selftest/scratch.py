"""The scratch directory: its projects, their home directories and their environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from msgspec import Struct

from tfevents.selftest.check import CheckFailed
from tfevents.selftest.commands import CommandResult, run_command

INHERITED_VARIABLES = ("PATH", "LANG", "LC_ALL", "TERM", "TMPDIR", "TZ")
"""All variables that a scratch run inherits: no settings or credentials of the user's."""
RUN_NUMBERS = count()


class Project(Struct, frozen=True):
    """A directory with a configuration, and the environment variables of its runs."""

    directory: Path
    env: Mapping[str, str]

    def __repr__(self) -> str:
        """Without the environment, which holds secrets."""
        return f"Project({str(self.directory)!r})"

    def write(self, files: Mapping[str, str]) -> None:
        """Writes these files in place of all configuration (`*.tf`) in the directory."""
        for old in self.directory.glob("*.tf"):
            old.unlink()
        for name, text in files.items():
            (self.directory / name).write_text(text)


class Scratch(Struct, frozen=True):
    """The scratch directory `root`, the real program `binary` and the wrapper `tf`.

    `env`: the user's environment variables, of which only INHERITED_VARIABLES are passed on.
    """

    root: Path
    binary: Path
    tf: Path
    env: Mapping[str, str]

    def __repr__(self) -> str:
        """Without the environment, which holds secrets."""
        return f"Scratch({str(self.root)!r})"

    def make_project(self, files: Mapping[str, str], **variables: str) -> Project:
        """A new project after `init`, with a home directory. Raises CheckFailed if `init` fails."""
        project = self.make_uninitialised_project(files, **variables)
        done = run_command([self.binary, "init", "-no-color"], project.directory, project.env)
        if done.exit_code:
            raise CheckFailed(f"{self.binary.name} init failed: {find_first_line(done.stderr)}")
        return project

    def make_uninitialised_project(self, files: Mapping[str, str], **variables: str) -> Project:
        """A new project without `init`, with a home directory."""
        run_directory = self.root / f"run-{next(RUN_NUMBERS)}"
        project = Project(
            run_directory / "project", self._make_environment(run_directory / "home", variables)
        )
        for directory in (project.directory, run_directory / "home"):
            directory.mkdir(parents=True)
        project.write(files)
        return project

    def _make_environment(self, home: Path, variables: Mapping[str, str]) -> dict[str, str]:
        kept = {name: self.env[name] for name in INHERITED_VARIABLES if name in self.env}
        return {
            **kept,
            "HOME": str(home),
            "TF_CLI_CONFIG_FILE": os.devnull,
            "CHECKPOINT_DISABLE": "1",
            "TFEVENTS_HOME": str(home / "tfevents"),
            "TFEVENTS_PROVISIONER": str(self.binary),
            **variables,
        }

    def run_bare(self, project: Project, *words: str, stdin: bytes = b"") -> CommandResult:
        """Runs the real binary with these arguments."""
        return run_command([self.binary, *words], project.directory, project.env, stdin)

    def run_wrapped(self, project: Project, *words: str, stdin: bytes = b"") -> CommandResult:
        """Runs the wrapper `tf` with these arguments."""
        return run_command([self.tf, *words], project.directory, project.env, stdin)

    def run_tfevents(self, project: Project, *words: str) -> CommandResult:
        """Runs a command of `tfevents` from the installation of `tf`."""
        program = self.tf.with_name("tfevents")
        return run_command([program, *words], project.directory, project.env)


def find_first_line(text: bytes) -> str:
    """The first line with more than spaces and box-drawing marks, cut to 200 characters."""
    lines = (line.strip() for line in text.decode(errors="replace").splitlines())
    return next((line for line in lines if line.strip("\u2577\u2502 ")), "")[:200]
