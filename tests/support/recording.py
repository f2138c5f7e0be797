"""What a recorded engine printed, and which part of it belongs to which command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

QUESTION = b"Enter a value: "
RULE = "\n\u2500\u2500\u2500".encode()  # separates a plan from the advice below it


class NotRecorded(Exception):
    """There is no recorded answer to replay, and none is invented."""


@dataclass(frozen=True)
class Recording:
    """One folder of recordings, and the files in which a stand-in engine notes what was done."""

    scenario: Path
    name: str  # "tofu" or "terraform"
    applied: Path  # exists once an apply has ended
    state_after: Path
    pause: float  # seconds between the lines of an apply's -json-into
    pulled: Path | None = None  # exists once the state was pulled, if an apply waits for that

    def read(self, file: str) -> bytes:
        """The content of a recorded file; empty if it does not exist."""
        path = self.scenario / file
        return path.read_bytes() if path.exists() else b""

    def code(self, command: str) -> int:
        """The recorded exit code of a command; raises NotRecorded if there is none."""
        codes = json.loads(self.read("exit_codes.json"))
        if command not in codes:
            raise NotRecorded(command)
        return int(codes[command])

    @property
    def stream(self) -> list[bytes]:
        """The lines that an apply wrote to -json-into, or printed with -json."""
        lines = self.read("apply.into.jsonl") or self.read("apply.stream.jsonl")
        return lines.splitlines(keepends=True)

    @property
    def planned(self) -> bytes:
        """The plan as printed, without the advice on how to apply it."""
        return self.read("plan.stdout.txt").partition(RULE)[0]

    def performed(self, command: str) -> bytes:
        """What an apply prints after the plan.

        Terraform was recorded with -json: there the text is made from the stream's own messages.
        Warnings that the plan has printed are not repeated.
        """
        recorded = self.read("apply.stdout.txt")
        if not recorded:
            said = "".join(_messages(map(json.loads, self.stream))).encode()
            return _closed(said, command)
        body, mark, warnings = self.planned.partition(b"\nWarning: ")
        lines = body.splitlines(keepends=True)
        rest = b"".join(line for line in lines if b": Refreshing state..." not in line)
        return _closed(recorded.partition(rest)[2].replace(mark + warnings, b""), command)

    def whole_apply(self, command: str) -> bytes:
        """What an apply prints that makes its own plan."""
        recorded = self.read("apply.stdout.txt")
        return _closed(recorded, command) if recorded else self.planned + self.performed(command)

    def prompt(self, happened: str) -> Recording:
        """The recording of the same prompt that ended in the way `happened` names."""
        return replace(self, scenario=self.scenario.with_name("prompt_" + happened))

    @property
    def lines_until_prompt(self) -> int:
        """How many lines of the stream come before the question."""
        return [json.loads(line)["type"] for line in self.stream].index("outputs") + 1

    @property
    def asked(self) -> bytes:
        """stdout up to the prompt and with it."""
        return self._terminal.partition(QUESTION)[0] + QUESTION

    @property
    def answered(self) -> tuple[bytes, bytes]:
        """stdout and stderr after the prompt, without the terminal's echo of what was typed."""
        tail = self._terminal.partition(QUESTION)[2]
        for echo in (b"yes\n", b"no\n", b"^C"):
            tail = tail.removeprefix(echo)
        out, error, rest = tail.partition(b"\nError: ")
        return out, error + rest

    @property
    def _terminal(self) -> bytes:
        """The terminal's content as the program wrote it: the terminal adds the carriage
        returns."""
        return self.read("terminal.txt").replace(b"\r\n", b"\n")


def _messages(stream: Iterator[dict[str, object]]) -> Iterator[str]:
    for line in stream:
        kind, message = str(line["type"]), str(line["@message"])
        changes = line.get("changes")
        if kind.startswith(("apply_", "provision_")):
            yield message + "\n"
        elif isinstance(changes, dict) and changes.get("operation") in ("apply", "destroy"):
            yield f"\n{message}\n"


def _closed(said: bytes, command: str) -> bytes:
    """The output with the right closing line: `apply` of a destroy plan never says "Destroy
    complete!", as `destroy` does."""
    closing = b"Destroy complete! Resources: "
    if command == "destroy":
        return said
    return said.replace(closing, b"Apply complete! Resources: 0 added, 0 changed, ")
