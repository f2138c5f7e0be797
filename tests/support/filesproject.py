"""Projects with `files_object` resources: in a directory, an engine runs alone or through `tf`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from support import files
from support.engines import clean_env, opentofu_1_6_2, terraform
from support.terminal import Terminal

TF = Path(sys.executable).with_name("tf")
"""The installed console script."""
_MORE = [Path(place) for place in os.environ.get("TFEVENTS_TEST_ENGINES", "").split(":") if place]
ENGINES = ("terraform", "opentofu-1.6.2", *(str(place) for place in _MORE))
"""The terraform on PATH, an OpenTofu, and any whose paths are in `TFEVENTS_TEST_ENGINES`, separated
by colons."""
_LETTERS = {
    "added": "a",
    "changed": "c",
    "deleted": "d",
    "imported": "i",
    "removed": "r",
    "unchanged": "u",
}
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_OURS = re.compile(r"(?m)^tfevents: [^\n]*\n")
_DONE = re.compile(r": (Creation|Modifications|Destruction) complete after ")
_KINDS = {"Creation": "a", "Modifications": "c", "Destruction": "d"}
_CLOSING = re.compile(
    r"(?:Apply|Destroy) complete! Resources: (?:(\d+) imported, )?(?:(\d+) added, )?"
    r"(?:(\d+) changed, )?(\d+) destroyed"
)


def find_engine(name: str) -> Path:
    """The path of one of `ENGINES`; skips the test if it is not there."""
    if name == "terraform":
        return terraform()
    if name == "opentofu-1.6.2":
        return opentofu_1_6_2()
    if not os.access(name, os.X_OK):
        pytest.skip(f"no {name}")
    return Path(name)


@dataclass(frozen=True)
class Said:
    """One run: its exit code, what it printed, and its events."""

    code: int
    stdout: str
    stderr: str
    events: Sequence[Mapping[str, Any]] = ()

    @property
    def types(self) -> list[str]:
        """`event_type` of each event, in order."""
        return [str(event["event_type"]) for event in self.events]

    @property
    def data(self) -> Mapping[str, str]:
        """`data` of the last event."""
        return dict(self.events[-1].get("data", {}))

    def counts(self, which: str = "resource") -> str | None:
        """The counts of the last event in short, such as "a1 c2"; "" if all are zero, None if
        absent."""
        found = self.events[-1].get("metadata", {}).get(f"{which}_counts")
        if found is None:
            return None
        return " ".join(f"{_LETTERS[name]}{n}" for name, n in sorted(found.items()) if n)

    def done(self, what: str = "acd") -> str | None:
        """Of `counts` the letters in `what`, by default those that the engine reports; None if
        absent."""
        counts = self.counts()
        if counts is None:
            return None
        return " ".join(word for word in counts.split() if word[0] in what)

    @property
    def closing(self) -> str | None:
        """The counts of the engine's closing line, in short; None if there is no such line."""
        found = _CLOSING.search(_COLOURS.sub("", self.stdout))
        if found is None:
            return None
        imported, *rest = (int(number or 0) for number in found.groups())
        numbers = {**dict(zip("acd", rest, strict=True)), "i": imported}
        return " ".join(f"{letter}{n}" for letter, n in numbers.items() if n)

    @property
    def completed(self) -> str:
        """How many "… complete after" lines the engine printed of each kind, in short."""
        kinds = [_KINDS[kind] for kind in _DONE.findall(_COLOURS.sub("", self.stdout))]
        return " ".join(f"{letter}{kinds.count(letter)}" for letter in "acd" if letter in kinds)


@dataclass
class Project:
    """A directory with a configuration; `tf` and the engine run there with the same environment."""

    engine: Path
    place: Path
    env: dict[str, str]
    _seen: set[str] = field(default_factory=set)

    @property
    def version(self) -> tuple[str, int, int]:
        """Product, major and minor."""
        said = self.bare("version").stdout
        found = re.search(r"(Terraform|OpenTofu) v(\d+)\.(\d+)", said)
        assert found, said
        return found[1], int(found[2]), int(found[3])

    def need(self, *, terraform: int, opentofu: int) -> None:
        """Skip unless the engine's minor version is at least this."""
        product, _, minor = self.version
        least = terraform if product == "Terraform" else opentofu
        if minor < least:
            pytest.skip(f"{product} has it since 1.{least}")

    def write(self, text: str, name: str = "main.tf") -> None:
        """Writes a configuration file; `main.tf` gets the required provider added."""
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((files.REQUIRED if name == "main.tf" else "") + text)

    def trouble(self, path: str, words: str) -> None:
        """Sets what goes wrong with the object at `path` from now on; "" for nothing."""
        (self.place / f"{path}.trouble").write_text(words)

    def bare(self, *words: str, stdin: bytes = b"", **env: str) -> Said:
        """Runs the engine alone."""
        return self._run([self.engine, *words], stdin, env)

    def init(self) -> None:
        """Installs the provider."""
        done = self.bare("init", "-input=false")
        assert done.code == 0, done.stderr

    def make(self, text: str) -> None:
        """Writes this configuration and applies it with the engine alone."""
        self.write(text)
        done = self.bare("apply", "-auto-approve")
        assert done.code == 0, done.stderr

    def tf(self, *words: str, stdin: bytes = b"", **env: str) -> Said:
        """Runs a command through `tf`; the result has its events."""
        done = self._run([TF, *words], stdin, env)
        return Said(done.code, done.stdout, done.stderr, self.heard())

    def sit(self, *words: str, **env: str) -> Terminal:
        """Starts `tf` in a terminal; pass that to `told` for the result."""
        return Terminal([TF, *words], env={**self.env, **env}, cwd=self.place)

    def told(self, terminal: Terminal) -> Said:
        """Waits for the end of a run in a terminal; returns its result with its events."""
        code = terminal.wait()
        return Said(code, terminal.screen, "", self.heard())

    def heard(self) -> list[dict[str, Any]]:
        """The events that were put into the journal since the last call, in order."""
        done = self._run([TF.with_name("tfevents"), "log", "--json"], b"", {})
        assert done.code == 0, done.stderr
        found = [event for run in json.loads(done.stdout)["runs"] for event in run["events"]]
        new = [event for event in found if event["event"]["data"]["event_id"] not in self._seen]
        self._seen |= {event["event"]["data"]["event_id"] for event in new}
        return [event["event"] for event in sorted(new, key=lambda event: str(event["put_at"]))]

    def state(self) -> dict[str, Any]:
        """The stored state; empty if there is none."""
        path = self.place / "terraform.tfstate"
        text = path.read_text() if path.exists() else ""
        found: dict[str, Any] = json.loads(text) if text.strip() else {}
        return found

    def _run(self, command: Sequence[str | Path], stdin: bytes, env: Mapping[str, str]) -> Said:
        done = subprocess.run(
            command,
            cwd=self.place,
            env={**self.env, **env},
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


def files_project(home: Path, engine: Path) -> Project:
    """An empty project under `home`, with the provider installed."""
    env = clean_env(home, engine)
    env |= files.provider_env(home) | {
        "TFEVENTS_HOME": str(home / "tfevents"),
        "TFEVENTS_PROVISIONER": str(engine),
    }
    project = Project(engine, home / "project", env)
    project.write("")
    project.init()
    return project


def without_ours(text: str) -> str:
    """The text without the lines that tfevents adds."""
    return _OURS.sub("", text)


def file_object(name: str, **attributes: str) -> str:
    """A resource block of a file `NAME.txt`; attributes are expressions, and empty ones are left
    out."""
    given = {"path": f'"{name}.txt"', **attributes}
    lines = [f"  {attribute} = {value}" for attribute, value in given.items() if value]
    return "\n".join([f'resource "files_object" "{name}" {{', *lines, "}", ""])
