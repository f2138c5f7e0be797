"""The recordings: real core logs of six engines, with the engines' own output beside them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from support.paths import DATA
from tfevents.readers.core_log import CoreLogReader
from tfevents.readers.json.state import parse_state_file
from tfevents.terraform.apply_log import ApplyLog
from tfevents.terraform.arguments import Mode
from tfevents.terraform.changes import Apply
from tfevents.terraform.state import State

RECORDINGS = DATA / "core_logs"
FOLDERS = sorted(path.parent for path in RECORDINGS.glob("*/*/core.log"))
COMPLETE = re.compile(r"(?:Apply|Destroy) complete! Resources: (.*)\.")
NAMES = {
    "added": "added",
    "changed": "changed",
    "destroyed": "deleted",
    "imported": "imported",
    "forgotten": "removed",
}


def parse_core_log(text: bytes) -> ApplyLog:
    """Everything that is read from a whole core log."""
    reader = CoreLogReader()
    reader.feed(text)
    return reader.log


@dataclass(frozen=True)
class Recording:
    """One folder of a recording: a core log, the states around it and the engine's output."""

    folder: Path

    @property
    def name(self) -> str:
        return f"{self.folder.parent.name}-{self.folder.name}"

    @property
    def scenario(self) -> str:
        return self.folder.name

    @property
    def text(self) -> bytes:
        return (self.folder / "core.log").read_bytes()

    @property
    def exit_code(self) -> int:
        return int(json.loads((self.folder / "run.json").read_text())["exit_code"])

    def log(self) -> ApplyLog:
        return parse_core_log(self.text)

    def state(self, name: str) -> State:
        data = (self.folder / f"{name}.json").read_bytes()
        return parse_state_file(data) if data.strip() else State()

    def apply(self) -> Apply:
        """The apply as a run knows it that kept the states before and after."""
        log = self.log()
        return Apply(
            log=log,
            before=self.state("before"),
            after=self.state("after"),
            mode=log.mode or Mode.NORMAL,
            succeeded=self.exit_code == 0,
        )

    def said(self) -> dict[str, int] | None:
        """The counts of the engine's closing line; None if there is no such line."""
        found = COMPLETE.search((self.folder / "stdout.txt").read_text())
        if found is None:
            return None
        pairs = (part.split() for part in found[1].split(", "))
        return {NAMES[name]: int(number) for number, name in pairs}


ALL = [Recording(folder) for folder in FOLDERS]
