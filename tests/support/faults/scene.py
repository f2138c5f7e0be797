"""A scene is what a case runs in: terraform and `tf` in two copies of a project, with a fault
around them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from support.endpoint import Endpoint
from support.engines import clean_env, terraform
from support.faults.servers import Server

TF = Path(sys.executable).with_name("tf")
KEY = "pat.acct.canary-token.canary-secret"
BUDGET = 2
"""TFEVENTS_TIMEOUT, in seconds."""
PATIENCE = 90
"""Seconds after which a command is killed."""
PROJECT = """
variable "hidden" {
  type      = string
  sensitive = true
}
resource "terraform_data" "a" {
  input = var.hidden
}
output "plain" { value = 1 }
"""
COMMANDS = (
    ("plan", "-input=false", "-detailed-exitcode"),
    ("apply", "-input=false", "-auto-approve"),
)
EVENTS = ("apply_needed", "provisioning", "active")


@dataclass(frozen=True)
class Said:
    """What a command left behind; `code` is None if it did not end by itself."""

    stdout: bytes
    stderr: bytes
    code: int | None
    seconds: float


@dataclass
class Scene:
    """The surroundings of one case.

    `env` is the environment of both programs; `told` is added for `tf` only. `wrap` is put before
    each command; `user` runs the command as another user, who has the number `uid`. `servers`
    receive what is sent during the fault, `healthy` what is sent afterwards. `home`: where events
    are kept if it can be written. `lasting` ends once everything was judged.
    """

    place: Path
    healthy: Endpoint
    env: dict[str, str] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    wrap: list[str] = field(default_factory=list)
    servers: list[Endpoint | Server] = field(default_factory=list)
    user: list[str] = field(default_factory=list)
    uid: int = os.getuid()
    name: str = "project"
    lasting: ExitStack = field(default_factory=ExitStack)
    said: list[tuple[Said, Said]] = field(default_factory=list)
    """The results of terraform and of `tf` for each of the commands."""

    def __post_init__(self) -> None:
        self.home = self.place / "home"
        self.env = {**clean_env(self.place / "user", terraform()), "TF_VAR_hidden": "canary-value"}
        self.told = {**self.healthy_settings(), **self.told}
        for directory in (self.theirs, self.ours):
            directory.mkdir(parents=True)
            (directory / "main.tf").write_text(PROJECT)

    @property
    def theirs(self) -> Path:
        """The copy of the project for terraform alone."""
        return self.place / "theirs" / self.name

    @property
    def ours(self) -> Path:
        """The copy of the project for `tf`."""
        return self.place / "ours" / self.name

    @property
    def spare(self) -> Path:
        """The fallback home directory."""
        return self.place / "user" / "tmp" / f"tfevents-{self.uid}"

    @property
    def homes(self) -> list[Path]:
        """All directories that may hold events; they need not exist."""
        return [self.home, self.spare]

    @property
    def disk(self) -> Path:
        """Where a case mounts its own file system."""
        return self.place / "disk"

    def healthy_settings(self) -> dict[str, str]:
        """The settings of a run that is reported to the healthy endpoint."""
        return {
            "TFEVENTS_HOME": str(self.home),
            "TFEVENTS_URL": self.healthy.url,
            "TFEVENTS_API_KEY": KEY,
            "TFEVENTS_ORG": "default",
            "TFEVENTS_PROJECT": "infra",
            "TFEVENTS_WORKSPACE": "prod",
            "TFEVENTS_TIMEOUT": str(BUDGET),
        }

    def play(self) -> None:
        """Runs each command by terraform alone and by `tf`."""
        for words in COMMANDS:
            alone = self._run([str(terraform()), *words], self.theirs, self.env)
            self.said.append((alone, self._run([str(TF), *words], self.ours, self.with_settings())))

    def with_settings(self) -> dict[str, str]:
        """The environment of `tf`."""
        return {**self.env, **self.told}

    def deliver(self) -> None:
        """Delivers all waiting and refused events to the healthy endpoint, once the fault is
        over."""
        env = {**clean_env(self.place / "user", terraform()), **self.healthy_settings()}
        env["TFEVENTS_TIMEOUT"] = "30"
        for words in ((), ("--refused",)):
            self._run([str(TF.with_name("tfevents")), "flush", *words], self.ours, env, usual=True)

    def _run(
        self, command: Sequence[str], at: Path, env: dict[str, str], *, usual: bool = False
    ) -> Said:
        begin = time.monotonic()
        outputs = [self.place / "stdout", self.place / "stderr"]
        with open(outputs[0], "wb") as out, open(outputs[1], "wb") as err:
            process = subprocess.Popen(
                [*self.user, *([] if usual else self.wrap), *command],
                env=env,
                cwd=at,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            try:
                code: int | None = process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
                code = None
        seconds = time.monotonic() - begin
        return Said(outputs[0].read_bytes(), outputs[1].read_bytes(), code, seconds)
