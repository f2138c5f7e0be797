"""A field is where a host runs the real terraform: a project, an endpoint and a clean
environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from support.endpoint import Endpoint
from support.engines import clean_env, terraform
from support.kept import read_kept
from support.warm import run_tfevents

PROGRAMS = Path(sys.executable).parent
KEY = "pat.acc.id.secret"
PROJECT = """\
resource "terraform_data" "kept" {
  count = 2
  input = count.index
}

resource "terraform_data" "last" {
  depends_on = [terraform_data.kept]
  lifecycle {
    precondition {
      condition     = !fileexists("${path.module}/fail-plan")
      error_message = "told to fail"
    }
  }
  provisioner "local-exec" {
    command = "printenv TFEVENTS_API_KEY >key; test ! -e fail-apply && (! test -e slow || sleep 60)"
  }
}
"""
"""Three resources to add. A file `fail-plan` or `fail-apply` makes terraform fail, `slow` makes it
hang. An apply writes the API key that terraform's own child processes see into a file `key`."""

PLANNED = ("apply_needed", "plan", "success", 3)
BEGUN = ("provisioning", "apply", None, None)
APPLIED = ("active", "apply", "success", 3)
PLAN_FAILED = ("failed", "plan", "failure")
"""Without the number of added resources."""
APPLY_FAILED = ("failed", "apply", "failure")
"""Without the number of added resources."""


@dataclass(frozen=True)
class Field:
    """A project's directory and an endpoint; `env` is the whole environment of the commands run
    here."""

    directory: Path
    env: Mapping[str, str]
    endpoint: Endpoint

    def run(
        self, words: Sequence[str | Path], *, cwd: Path | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs one command to its end; `tfevents` is forked from a running process, which saves its
        start-up."""
        whole = {**self.env, **env}
        if words[0] == "tfevents":
            done = run_tfevents(words[1:], env=whole, cwd=cwd or self.directory)
            said = done.stdout.decode(), done.stderr.decode()
            return subprocess.CompletedProcess(done.args, done.returncode, *said)
        return subprocess.run(
            [str(word) for word in words],
            cwd=cwd or self.directory,
            env=whole,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )

    def sh(self, script: str, *, cwd: Path | None = None, **env: str) -> int:
        """Runs a line as a host gives it to `sh -c`; returns its exit code, and prints its output
        for pytest."""
        done = self.run(["/bin/sh", "-c", script], cwd=cwd, **env)
        print(f"$ {script}\n{done.stdout}{done.stderr}[{done.returncode}]")
        return done.returncode

    def told(self) -> list[tuple[Any, ...]]:
        """(event, activity, status, added) of each event, in order."""
        return [_essence(event) for event in self.events]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events in the journal, sent or not."""
        return read_kept(Path(self.env["TFEVENTS_HOME"]))

    def failing(self, what: str) -> None:
        """Makes the plan or the apply fail from now on."""
        (self.directory / f"fail-{what}").touch()


def _essence(event: Mapping[str, Any]) -> tuple[Any, ...]:
    metadata = event.get("metadata", {})
    words = (metadata.get("activity_type"), metadata.get("activity_status"))
    return (event["event_type"], *words, metadata.get("resource_counts", {}).get("added"))


@contextmanager
def field(tmp_path: Path, *, project: str = PROJECT) -> Iterator[Field]:
    """A field with `project` in it; `terraform`, `tf` and `tfevents` are on PATH."""
    with Endpoint() as endpoint:
        yield Field(_sown(tmp_path / "project", project), _env(tmp_path, endpoint), endpoint)


def without_key(field: Field) -> Field:
    """The same field without an API key, so that nothing can be sent."""
    env = {name: value for name, value in field.env.items() if name != "TFEVENTS_API_KEY"}
    return replace(field, env=env)


def _sown(directory: Path, project: str) -> Path:
    directory.mkdir()
    (directory / "main.tf").write_text(project)
    return directory


def _env(tmp_path: Path, endpoint: Endpoint) -> dict[str, str]:
    env = clean_env(
        tmp_path / "home", terraform(), PROGRAMS / "tf", PROGRAMS / "tfevents", *_tools()
    )
    return {
        **env,
        "TFEVENTS_URL": endpoint.url,
        "TFEVENTS_API_KEY": KEY,
        "TFEVENTS_ORG": "org",
        "TFEVENTS_PROJECT": "project",
        "TFEVENTS_WORKSPACE": "workspace",
        "TFEVENTS_HOME": str(tmp_path / "journal"),
    }


def _tools() -> list[Path]:
    found = shutil.which("terragrunt")
    return [Path(found)] if found else []
