"""Asking the provisioner: its version, a plan as JSON, the state. Nothing of it is ever shown."""

from __future__ import annotations

import os
from _signal import SIGKILL
from collections.abc import Mapping, Sequence

from tfevents.lean import suppress
from tfevents.provisioner import SECRETS
from tfevents.record import dataclass

SHOW_SECONDS, OTHER_SECONDS = 900.0, 60.0


@dataclass(frozen=True)
class Version:
    """`product` is Terraform or OpenTofu, as the tool calls itself; `number` like 1.11.4."""

    product: str
    number: str

    @property
    def provisioner(self) -> str:
        """The contract's name."""
        return "opentofu" if self.product == "OpenTofu" else "terraform"

    def least(self, major: int, minor: int) -> bool:
        """Whether it is at least this; a number that can't be read is not."""
        numbers = [int(part) if part.isdigit() else -1 for part in self.number.split(".")[:2]]
        return numbers >= [major, minor]


@dataclass(frozen=True)
class Engine:
    """The same binary, directory and environment as the run's, asked on our own account.

    TF_CLI_ARGS* is for what the user typed: `show` fails on it (semantics §4.4). Sessions of
    their own keep the terminal's Ctrl-C, which is terraform's, from our questions.
    """

    path: str
    options: tuple[str, ...]
    env: Mapping[str, str]

    def ask(self, arguments: Sequence[str], seconds: float) -> bytes | None:
        """stdout of one call; None if it failed, could not be started or took too long."""
        import subprocess  # slow to wake; most plans ask nothing

        try:
            child = subprocess.Popen(
                [self.path, *self.options, *arguments],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            return None
        try:
            answer, _ = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            with suppress(OSError):
                os.killpg(child.pid, SIGKILL)
            child.communicate()
            return None
        return answer if child.returncode == 0 else None

    def save(self, arguments: Sequence[str], path: str, seconds: float) -> bool:
        """As `ask`, but stdout goes to a file."""
        import subprocess

        try:
            with open(path, "wb") as file:
                child = subprocess.Popen(
                    [self.path, *self.options, *arguments],
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
        except OSError:
            return False
        try:
            return child.wait(timeout=seconds) == 0
        except subprocess.TimeoutExpired:
            with suppress(OSError):
                os.killpg(child.pid, SIGKILL)
            child.wait()
            return False

    def _environment(self) -> dict[str, str]:
        noise = ("TF_CLI_ARGS", "TF_LOG")
        env = {name: value for name, value in self.env.items() if not name.startswith(noise)}
        kept = {name: value for name, value in env.items() if name not in SECRETS}
        return {**kept, "CHECKPOINT_DISABLE": "1"}

    def version(self) -> Version | None:
        """What `version` says of itself ("OpenTofu v1.6.2"); a version manager may talk before."""
        answer = (self.ask(["version"], OTHER_SECONDS) or b"").decode(errors="replace")
        for line in answer.splitlines():
            product, _, number = line.partition(" v")
            if product in ("Terraform", "OpenTofu"):
                return Version(product, number.strip())
        return None

    def show(self, plan_file: str) -> bytes | None:
        """`show -json` of a saved plan: with values, so it stays in memory."""
        return self.ask(["show", "-json", plan_file], SHOW_SECONDS)

    def pull(self) -> bytes | None:
        """The state as stored; empty where there is none."""
        return self.ask(["state", "pull"], OTHER_SECONDS)
