"""The program of a stand-in engine: answers as a recorded engine answered."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from support.commandline import Command, Usage, read
from support.recording import RULE, NotRecorded, Recording

_VERSIONS = {"tofu": ("OpenTofu", "1.13.0-dev"), "terraform": ("Terraform", "1.17.0-dev")}
NOT_RECORDED = 70
PULL_SECONDS = 60.0


def main(recording: Recording, log: Path) -> NoReturn:
    """Answers one invocation and ends with its exit code."""
    _note(log)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        command = read(sys.argv[1:], os.environ, recording.name)
        if command.directory is not None:
            os.chdir(command.directory)
        code = _COMMANDS.get(command.name, _unknown)(recording, command)
    except Usage as usage:
        code = _fail("Failed to parse command-line flags", str(usage))
    except OSError as error:
        code = _fail(str(error))
    except NotRecorded as what:
        print(f"stand-in: not recorded: {what}", file=sys.stderr)
        code = NOT_RECORDED
    sys.stdout.flush()
    sys.exit(code)


def _note(log: Path) -> None:
    line = {
        "argv": sys.argv[1:],
        "cwd": str(Path.cwd()),
        "env": dict(os.environ),
        "isatty": [os.isatty(descriptor) for descriptor in (0, 1, 2)],
        "pid": os.getpid(),
        "at": time.time(),
    }
    with open(log, "ab", buffering=0) as file:
        file.write(json.dumps(line).encode() + b"\n")


def _fail(title: str, detail: str = "") -> int:
    print(f"\nError: {title}\n\n{detail}", file=sys.stderr)
    return 1


def _say(out: bytes, err: bytes = b"") -> None:
    """Writes bytes to stdout, then to stderr, without buffering."""
    sys.stdout.buffer.write(out)
    sys.stdout.buffer.flush()
    sys.stderr.buffer.write(err)
    sys.stderr.buffer.flush()


def _version(recording: Recording, command: Command) -> int:
    title, version = _VERSIONS[recording.name]
    if not command.on("json"):
        print(f"{title} v{version}\non linux_amd64")
        return 0
    said: dict[str, object] = {
        "terraform_version": version,
        "platform": "linux_amd64",
        "provider_selections": {},
    }
    if recording.name == "terraform":
        said = {"format_version": "1.0", **said, "terraform_outdated": False}
    print(json.dumps(said, indent=2))
    return 0


def _plan(recording: Recording, command: Command) -> int:
    code = recording.code("plan")
    if command.arguments:
        return _fail("Too many command line arguments", "To specify a working directory, -chdir.")
    lines = recording.read("plan.into.jsonl")
    _check_streams(command)
    if command.on("json") and not lines:
        raise NotRecorded("plan -json")
    _write_into(command, lines.splitlines(keepends=True), 0.0)
    saved = recording.read("plan.tfplan")
    if saved and "out" in command.flags:
        Path(command.flags["out"]).write_bytes(saved)
    printed = lines if command.on("json") else _printed_plan(recording, command)
    _say(printed, recording.read("plan.stderr.txt"))
    return code if command.on("detailed-exitcode") or code == 1 else 0


def _printed_plan(recording: Recording, command: Command) -> bytes:
    """The plan as printed; its advice is left out with TF_IN_AUTOMATION or without `-out`, else it
    names that file."""
    whole, out = recording.read("plan.stdout.txt"), command.flags.get("out")
    if os.environ.get("TF_IN_AUTOMATION") or out is None:
        return recording.planned
    body, rule, advice = whole.partition(RULE)
    return body + rule + advice.replace(b"plan.tfplan", os.fsencode(out))


def _show(recording: Recording, command: Command) -> int:
    if len(command.arguments) != 1:
        raise NotRecorded("show of a state")
    if not _is_the_plan(recording, command.arguments[0]):
        return _fail("Failed to read the given file as a state or plan file")
    if (code := recording.code("show")) != 0:
        return _fail("Failed to marshal plan to json") and code
    _say(recording.read("plan.json") if command.on("json") else recording.planned)
    return 0


def _is_the_plan(recording: Recording, file: str) -> bool:
    path = Path(file)
    return path.is_file() and path.read_bytes() == recording.read("plan.tfplan")


def _apply(recording: Recording, command: Command) -> int:
    _check_streams(command)
    if command.arguments:
        return _apply_saved(recording, command)
    if command.on("auto-approve"):
        return _perform(recording, command, recording.whole_apply(command.name))
    if command.on("json"):
        return _fail("Plan file or auto-approve required")
    if not recording.read("terminal.txt"):
        raise NotRecorded("an apply that asks (only prompt_* are)")
    return _ask(recording, command)


def _apply_saved(recording: Recording, command: Command) -> int:
    if command.name == "destroy":
        return _fail("Destroy can't be called with a plan file")
    if len(command.arguments) > 1:
        return _fail("Too many command line arguments", "Expected at most one positional argument.")
    if not _is_the_plan(recording, command.arguments[0]):
        return _fail("Failed to load the given plan file")
    if recording.code("plan") == 1:
        return _fail("Cannot apply incomplete plan")
    return _perform(recording, command, recording.performed(command.name))


def _perform(recording: Recording, command: Command, printed: bytes) -> int:
    if "json-into" in command.flags:
        _await_pull(recording)
    _write_into(command, recording.stream, recording.pause)
    recording.applied.touch()
    said = b"".join(recording.stream) if command.on("json") else printed
    _say(said, recording.read("apply.stderr.txt"))
    return recording.code("apply")


def _await_pull(recording: Recording) -> None:
    deadline = time.monotonic() + PULL_SECONDS
    while recording.pulled is not None and not recording.pulled.exists():
        if time.monotonic() > deadline:
            raise NotRecorded("an apply beside which nobody pulls the state")
        time.sleep(0.01)


def _ask(recording: Recording, command: Command) -> int:
    """Prompts as recorded; what follows comes from the recording of what happens at the prompt."""
    into = _open_into(command)
    for line in recording.stream[: recording.lines_until_prompt]:
        into(line)
    happened = recording.prompt(_hear(recording.asked))
    for line in happened.stream[happened.lines_until_prompt :]:
        into(line)
    _say(*happened.answered)
    if happened.scenario.name == "prompt_approved":
        recording.applied.touch()
    return happened.code("apply")


def _hear(asked: bytes) -> str:
    interrupted = _interruptions()
    _say(asked)
    answer = b""
    while not answer.endswith(b"\n"):
        if interrupted in select.select([0, interrupted], [], [])[0]:
            return "interrupted_at_prompt"
        if not (typed := os.read(0, 4096)):
            return "eof_at_prompt"
        answer += typed
    return "approved" if answer == b"yes\n" else "declined"


def _interruptions() -> int:
    """A file descriptor that a signal makes readable.

    Python runs its handlers between two instructions: a signal that comes just before a read blocks
    would be seen only after the read.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    return reader


def _check_streams(command: Command) -> None:
    if command.on("json") and "json-into" in command.flags:
        raise Usage("The -json and -json-into flags are mutually exclusive")


def _write_into(command: Command, lines: list[bytes], pause: float) -> None:
    write = _open_into(command)
    for line in lines:
        write(line)
        time.sleep(pause)


def _open_into(command: Command) -> Callable[[bytes], None]:
    """A function that writes a line to -json-into. Opening a FIFO waits for its reader; a reader
    that closes it early does no harm."""
    if "json-into" not in command.flags:
        return lambda line: None
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    descriptor = os.open(command.flags["json-into"], flags, 0o600)

    def write(line: bytes) -> None:
        with suppress(BrokenPipeError):
            os.write(descriptor, line)

    return write


def _state_pull(recording: Recording, command: Command) -> int:
    before = recording.scenario / "state_before.json"
    state = recording.state_after if recording.applied.exists() else before
    _say(state.read_bytes() if state.exists() else b"")
    if recording.pulled is not None:
        recording.pulled.touch()
    return 0


def _workspace_show(recording: Recording, command: Command) -> int:
    print("default")
    return 0


def _unknown(recording: Recording, command: Command) -> int:
    raise NotRecorded(command.name)


_COMMANDS: dict[str, Callable[[Recording, Command], int]] = {
    "version": _version,
    "plan": _plan,
    "show": _show,
    "apply": _apply,
    "destroy": _apply,
    "state pull": _state_pull,
    "workspace show": _workspace_show,
}
