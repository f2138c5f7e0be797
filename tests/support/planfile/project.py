"""A directory with a configuration of the AWS provider, planned and applied by a real tool."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from support.aws import Aws
from support.planfile.workshop import Made


@dataclass(frozen=True)
class Project:
    """`place` is the directory, in which this machine's settings are not used."""

    aws: Aws
    place: Path
    engine: Path

    @cached_property
    def _env(self) -> dict[str, str]:
        return self.aws.environment(self.place / "home", self.engine)

    def write(self, text: str) -> None:
        """Writes the configuration, with the provider's block before it."""
        (self.place / "main.tf").write_text(self.aws.provider + text)

    def do(self, *words: str) -> bytes:
        """Runs the tool, which must succeed; returns its stdout."""
        done = subprocess.run(
            [str(self.engine), *words],
            cwd=self.place,
            env=self._env,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def plan(self, *flags: str) -> Made:
        """Makes a saved plan; returns it with the tool's JSON of it."""
        self.do("plan", "-input=false", "-out=p", *flags)
        return Made(self.place / "p", self.do("show", "-json", "p"))
