"""A scene is one home directory with its endpoint: starts processes that use it, and kills them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from support.endpoint import Endpoint
from support.engines import clean_env
from support.loss.engine import write_engine
from support.loss.plan import Kind, Moment, Victim, Wave
from support.loss.processes import find_sender
from support.machine import KEY
from support.step import NORMAL

SCRIPTS = Path(sys.executable).parent
BUDGET = "2"
PATIENCE = "5"
LONGEST_WAIT = 60.0


@dataclass(frozen=True)
class Ended:
    """How a victim ended. `killed`: whether it was still running when it was to be killed."""

    victim: Victim
    code: int
    said: str
    killed: bool


@dataclass
class Scene:
    """The home and the endpoint of one episode. `place` holds all files, `ended` lists all
    processes so far."""

    place: Path
    endpoint: Endpoint
    ended: list[Ended] = field(default_factory=list)

    def __post_init__(self) -> None:
        engine, state = write_engine(self.place)
        self.home = self.place / "disk" / "home"
        self.home.parent.mkdir()
        self.env = {
            **clean_env(self.place / "user", engine),
            "TFEVENTS_HOME": str(self.home),
            "TFEVENTS_URL": self.endpoint.url,
            "TFEVENTS_ORG": "default",
            "TFEVENTS_PROJECT": "infra",
            "TFEVENTS_TIMEOUT": BUDGET,
            "STANDIN_STATE": str(state),
        }

    def run(self, *words: str, key: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs a command of tfevents that is not killed."""
        more = {"TFEVENTS_API_KEY": KEY} if key else {}
        return run([SCRIPTS / "tfevents", *words], self.place, {**self.env, **more})

    @property
    def spare(self) -> Path:
        """The fallback home directory."""
        return Path(self.env["TMPDIR"]) / f"tfevents-{os.getuid()}"

    def play(self, wave: Wave, *others: threading.Thread) -> None:
        """Plays all victims of a wave at once, and runs the other threads meanwhile, until all have
        ended."""
        self.endpoint.script(*wave.steps)
        threads = [threading.Thread(target=self._play, args=(one,)) for one in wave.victims]
        threads += others
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def heal(self) -> None:
        """Makes the endpoint answer normally from now on."""
        self.endpoint.clear()
        self.endpoint.always(NORMAL)

    def _play(self, victim: Victim) -> None:
        directory = self.place / victim.directory
        directory.mkdir()
        (directory / "main.tf").write_text('resource "t" "a" {}\n')
        if victim.kind is Kind.HOOK and victim.number % 2:
            self._start(victim, ["hook", "before", victim.command], directory).communicate()
        process = self._start(victim, _words(victim), directory)
        killed = self._kill(victim, process)
        try:
            _, said = process.communicate(timeout=LONGEST_WAIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said = f"{process.communicate()[1]}\nit did not end"
        self.ended.append(Ended(victim, process.returncode, said, killed))

    def _start(self, victim: Victim, words: list[str], directory: Path) -> subprocess.Popen[str]:
        by_line = victim.kind is Kind.WRAPPER and victim.moment is Moment.LINE
        program = "tf" if victim.kind in (Kind.WRAPPER, Kind.SENDER) else "tfevents"
        return subprocess.Popen(
            [SCRIPTS / program, *words],
            env={
                **self.env,
                **({"TFEVENTS_API_KEY": victim.api_key} if victim.has_key else {}),
                "TFEVENTS_WORKSPACE": victim.workspace,
                "STANDIN_GRACEFUL": "1" if victim.graceful else "",
                "STANDIN_CODE": str(victim.exit_code),
                "STANDIN_LINE": str(victim.line) if by_line else "",
                "STANDIN_SIGNAL": victim.signal.name.removeprefix("SIG"),
            },
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def _kill(self, victim: Victim, process: subprocess.Popen[str]) -> bool:
        """Sends the victim its signal at its moment; returns whether there was a process to
        kill."""
        if victim.moment is Moment.LINE:
            return True  # the stand-in engine sends the signal
        if victim.moment is Moment.REQUEST:
            self._wait_for_a_request(process)
        else:
            with suppress(subprocess.TimeoutExpired):
                process.wait(victim.seconds)
        pid = find_sender(process.pid) if victim.kind is Kind.SENDER else process.pid
        if pid is None or process.poll() is not None:
            return False
        with suppress(ProcessLookupError):
            (os.killpg if victim.group else os.kill)(pid, victim.signal)
            return True
        return False

    def _wait_for_a_request(self, process: subprocess.Popen[str]) -> None:
        """Waits for a request at the endpoint, or for the end of the process."""
        before = len(self.endpoint.requests)
        while len(self.endpoint.requests) == before and process.poll() is None:
            time.sleep(0.002)


def run(
    words: Sequence[str | Path], place: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end; the result has its output."""
    return subprocess.run(
        words,
        env=env,
        cwd=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=LONGEST_WAIT,
        check=False,
    )


def _words(victim: Victim) -> list[str]:
    if victim.kind is Kind.FLUSH:
        return ["flush", "--timeout", PATIENCE]
    if victim.kind is Kind.HOOK:
        if victim.number % 2:
            code = str(victim.exit_code)
            return ["hook", "after", victim.command, "--exit-code", code]
        return ["hook", "before", victim.command]
    approve = [] if victim.command == "refresh" else ["-auto-approve"]
    return [victim.command, *approve]
