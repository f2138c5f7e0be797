"""A machine with its own home directory, on which `tf` runs terraform and events are flushed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.engines import clean_env, terraform
from support.warm import run_tfevents

SCRIPTS = Path(sys.executable).parent
KEY = "pat.acct.token.secret"
ONE = 'resource "terraform_data" "a" { input = 1 }\n'
SLOW = """
resource "terraform_data" "a" {
  provisioner "local-exec" { command = "echo begun; while [ ! -e go ]; do sleep 0.05; done" }
}
"""
"""An apply that works until a file `go` is in its directory."""


@dataclass
class Machine:
    """`env` is the whole environment of the commands that are run; `home` is tfevents' home
    directory."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.env = {**clean_env(self.root / "user", terraform()), **self.env}
        self.env.setdefault("TFEVENTS_HOME", str(self.root / "home"))
        self.env["TMPDIR"] = str(self.root / "tmp")
        Path(self.env["TMPDIR"]).mkdir(exist_ok=True)

    @property
    def home(self) -> Path:
        return Path(self.env["TFEVENTS_HOME"])

    @property
    def spare(self) -> Path:
        return Path(self.env["TMPDIR"]) / f"tfevents-{os.getuid()}"

    def reporting_to(self, url: str, workspace: str = "prod", **more: str) -> dict[str, str]:
        """The environment variables that make a run report to `url`."""
        return {
            "TFEVENTS_URL": url,
            "TFEVENTS_API_KEY": KEY,
            "TFEVENTS_ORG": "default",
            "TFEVENTS_PROJECT": "infra",
            "TFEVENTS_WORKSPACE": workspace,
            **more,
        }

    def project(self, name: str = "project", text: str = ONE) -> Path:
        place = self.root / name
        place.mkdir(exist_ok=True)
        (place / "main.tf").write_text(text)
        return place

    def tf(
        self, *words: str, at: Path, env: Mapping[str, str] = {}, timeout: float = 90
    ) -> subprocess.CompletedProcess[str]:
        """Runs `tf` to its end."""
        return subprocess.run(
            [SCRIPTS / "tf", *words],
            env={**self.env, **env},
            cwd=at,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *words: str, at: Path, env: Mapping[str, str] = {}) -> subprocess.Popen[bytes]:
        """Starts `tf`; its output goes to the file `out` in the project's directory."""
        with open(at / "out", "wb") as out:
            return subprocess.Popen(
                [SCRIPTS / "tf", *words],
                env={**self.env, **env},
                cwd=at,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def bare(self, *words: str, at: Path) -> subprocess.CompletedProcess[str]:
        """Runs terraform alone."""
        return subprocess.run(
            ["terraform", *words],
            env=self.env,
            cwd=at,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def flush(self, env: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
        """Runs `tfevents flush`."""
        whole = {**self.env, **env}
        done = run_tfevents(["flush", *words], env=whole, cwd=self.root)
        said = done.stdout.decode(), done.stderr.decode()
        return subprocess.CompletedProcess(done.args, done.returncode, *said)

    def python(
        self, source: str, *words: str, env: Mapping[str, str] = {}
    ) -> subprocess.Popen[str]:
        """Starts a Python process that runs `source`."""
        return subprocess.Popen(
            [sys.executable, "-c", source, *words],
            env={**self.env, **env},
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rows(self, query: str, home: Path | None = None) -> list[Any]:
        """The result of a query of a journal's file; empty while its tables do not exist yet."""
        db = sqlite3.connect((home or self.home) / "journal.db")
        try:
            found = db.execute(query).fetchall()
        except sqlite3.OperationalError as error:
            assert "no such table" in str(error)
            found = []
        finally:
            db.close()
        return [row[0] if len(row) == 1 else row for row in found]

    def bodies(self, home: Path | None = None) -> list[dict[str, Any]]:
        """The events in the journal, in order."""
        return [json.loads(text) for text in self.rows("select body from events", home)]

    def statuses(self, home: Path | None = None) -> list[str]:
        return list(self.rows("select status from events order by seq", home))


def kill(process: subprocess.Popen[Any]) -> None:
    """Kills a process with all that it has started, and waits for its end."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()
    process.wait()


def until(condition: Any, timeout: float = 60.0) -> Any:
    """Waits until `condition` gives a true value, and returns that; AssertionError after `timeout`
    seconds."""
    import time

    end = time.monotonic() + timeout
    while not (met := condition()):
        assert time.monotonic() < end, f"waited {timeout} s"
        time.sleep(0.01)
    return met


def types(events: list[dict[str, Any]]) -> list[str]:
    """The event types, in order."""
    return [event["event_type"] for event in events]


def ids(events: list[dict[str, Any]]) -> list[str]:
    """The event ids, in order."""
    return [event["data"]["event_id"] for event in events]
