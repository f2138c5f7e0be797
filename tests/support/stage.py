"""A stage is a project and an engine: runs `tf` there, and reads the events of the runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.kept import read_kept
from support.terminal import Terminal

TF = Path(sys.executable).with_name("tf")
LETTERS = {
    "added": "a",
    "changed": "c",
    "deleted": "d",
    "imported": "i",
    "removed": "r",
    "unchanged": "u",
}
COUNTS = ("resource_counts", "output_counts", "drift_counts")


def settings(home: Path) -> dict[str, str]:
    """The destination of events; without an API key they stay in the journal."""
    return {
        "TFEVENTS_ACCOUNT": "acct",
        "TFEVENTS_ORG": "org",
        "TFEVENTS_PROJECT": "proj",
        "TFEVENTS_WORKSPACE": "ws",
        "TFEVENTS_HOME": str(home / "tfevents"),
    }


@dataclass(frozen=True)
class Event:
    """One event, by its body."""

    body: Mapping[str, Any]

    @property
    def row(self) -> str:
        """The event's row in the event table, its right side: "active apply success"."""
        about = self.metadata
        words = (self.type, about.get("activity_type"), about.get("activity_status"))
        return " ".join(word for word in words if word)

    @property
    def type(self) -> str:
        """`event_type`."""
        return str(self.body["event_type"])

    @property
    def metadata(self) -> Mapping[str, Any]:
        """`metadata`, never missing."""
        return dict(self.body.get("metadata", {}))

    @property
    def data(self) -> Mapping[str, str]:
        """`data`, never missing."""
        return dict(self.body.get("data", {}))

    def counts(self, which: str = "resource") -> str | None:
        """Counts in short, such as "a1 c2"; "" for six zeros, None if they are absent."""
        found = self.metadata.get(f"{which}_counts")
        if found is None:
            return None
        assert found.keys() == LETTERS.keys()
        return " ".join(f"{LETTERS[name]}{n}" for name, n in sorted(found.items()) if n)


@dataclass
class Stage:
    """One project; `run` runs `tf` once and returns its events, which are kept and not sent."""

    project: Path
    env: dict[str, str]
    code: int = 0
    stdout: str = ""
    stderr: str = ""
    seen: int = field(default=0)

    def write(self, text: str, name: str = "main.tf") -> None:
        """Writes a configuration file."""
        (self.project / name).parent.mkdir(parents=True, exist_ok=True)
        (self.project / name).write_text(text)

    def engine(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        """Runs the engine alone."""
        name = "tofu" if self.env.get("TFEVENTS_PROVISIONER") == "tofu" else "terraform"
        return self._spawn([name, *words], b"", {})

    def run(self, *words: str, stdin: bytes = b"", **env: str) -> list[Event]:
        """Runs `tf` through pipes; returns its events."""
        done = self._spawn([str(TF), *words], stdin, env)
        self.code = done.returncode
        self.stdout, self.stderr = done.stdout.decode(), done.stderr.decode()
        return self.heard()

    def sit(self, *words: str, **env: str) -> Terminal:
        """Starts `tf` in a terminal; call `heard` afterwards."""
        return Terminal([TF, *words], env={**self.env, **env}, cwd=self.project)

    def heard(self) -> list[Event]:
        """The events since the last call."""
        events = read_kept(Path(self.env["TFEVENTS_HOME"]))[self.seen :]
        self.seen += len(events)
        return [Event(event) for event in events]

    def state(self) -> bytes:
        """The content of the local state file."""
        return (self.project / "terraform.tfstate").read_bytes()

    def _spawn(
        self, command: list[str], stdin: bytes, env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            command,
            env={**self.env, **env},
            cwd=self.project,
            input=stdin,
            capture_output=True,
            timeout=170,
            check=False,
        )
