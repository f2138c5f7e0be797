"""Stand-ins are executables in an engine's place: a replay of a recording, or a test's own
script."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.engines import write_executable
from support.paths import ENGINES, TESTS

OPENTOFU = ENGINES / "opentofu-1.13-dev"
TERRAFORM = ENGINES / "terraform-1.17-dev"


@dataclass(frozen=True)
class Standin:
    """A stand-in's executable, and the files that it writes beside itself."""

    path: Path

    @property
    def log(self) -> Path:
        """The log: one JSON line per invocation."""
        return self.path.with_name(self.path.name + ".invocations.jsonl")

    @property
    def applied(self) -> Path:
        """A file that exists once an apply has ended: from then on `state pull` gives the state
        after it."""
        return self.path.with_name(self.path.name + ".applied")

    @property
    def pulled(self) -> Path:
        """A file that exists once a `state pull` was answered."""
        return self.path.with_name(self.path.name + ".pulled")

    @property
    def invocations(self) -> list[dict[str, Any]]:
        """The invocations in order: argv, cwd, env, isatty (of 0, 1, 2), pid, at."""
        text = self.log.read_text() if self.log.exists() else ""
        return [json.loads(line) for line in text.splitlines()]


def standin(
    scenario: Path,
    path: Path,
    *,
    state_after: Path | None = None,
    pause: float = 0.0,
    waits: bool = False,
) -> Standin:
    """Writes a stand-in for a recorded scenario; `path` ends in `tofu` or `terraform`.

    `state_after` replaces the recorded one (the prompts have none); `pause` is the time in seconds
    between the lines that an apply writes to its -json-into. `waits`: an apply with -json-into
    begins only after a `state pull` was answered, since a real one plans for longer than a pull
    takes.
    """
    made = Standin(path)
    after = state_after or scenario / "state_after.json"
    write_executable(
        path,
        f"""\
import pathlib, sys
sys.dont_write_bytecode = True
sys.path.insert(0, {str(TESTS)!r})
from support.recording import Recording
from support.replay import main
main(
    Recording(
        scenario=pathlib.Path({str(scenario)!r}),
        name={path.name!r},
        applied=pathlib.Path({str(made.applied)!r}),
        state_after=pathlib.Path({str(after)!r}),
        pause={pause!r},
        pulled=pathlib.Path({str(made.pulled)!r}) if {waits!r} else None,
    ),
    log=pathlib.Path({str(made.log)!r}),
)
""",
    )
    return made


def script_engine(path: Path, python_source: str) -> Path:
    """Writes an executable that runs `python_source`, for engines that misbehave.

    The source may use what is defined before it: `argv` (the words after the program's name),
    `say(text)` (to stdout, at once), `count(signal_number, ...)` (writes each such signal's name
    and time.monotonic() as a line of `<path>.signals`, and continues), `hang()` (until killed),
    `die(signal_number)` (ends by that signal).
    """
    return write_executable(path, _SCRIPT.format(signals=str(path) + ".signals") + python_source)


def signals_of(path: Path) -> list[tuple[str, float]]:
    """The signals that a script engine has counted: name and time.monotonic() of each."""
    file = Path(str(path) + ".signals")
    lines = file.read_text().splitlines() if file.exists() else []
    return [(name, float(at)) for name, at in (line.split() for line in lines)]


_SCRIPT = """\
import os, select, signal, sys, time

argv = sys.argv[1:]
# a signal that comes just before a call blocks is noticed all the same
woken, waker = os.pipe()
os.set_blocking(waker, False)
signal.set_wakeup_fd(waker)

def say(text):
    sys.stdout.write(text + "\\n")
    sys.stdout.flush()

def note(number, frame):
    with open({signals!r}, "ab", buffering=0) as file:
        file.write(f"{{signal.Signals(number).name}} {{time.monotonic()}}\\n".encode())

def count(*numbers):
    for number in numbers:
        signal.signal(number, note)

def hang():
    while True:
        select.select([woken], [], [])
        os.read(woken, 512)

def die(number):
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    hang()

signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)

"""
