"""The installed `tfevents`, run as a user's shell would run it, in an environment of its own."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from support.warm import PROGRAM, run_tfevents


@dataclass
class Tfevents:
    """`tfevents` with its journal in `home`, the whole environment `env` and the working directory
    `cwd`."""

    home: Path
    env: dict[str, str]
    cwd: Path
    program: Path = PROGRAM

    def run(self, *words: object, stdin: Path | None = None) -> subprocess.CompletedProcess[bytes]:
        """Runs one command to its end, in a fork; without `stdin` its input is empty."""
        given = stdin.read_bytes() if stdin else b""
        return run_tfevents(words, env=self.env, cwd=self.cwd, stdin=given)

    def start(self, *words: object) -> subprocess.Popen[bytes]:
        """Starts one command and does not wait for its end."""
        return subprocess.Popen(
            [str(PROGRAM), *map(str, words)],
            env=self.env,
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def ok(self, *words: object, stdin: Path | None = None) -> str:
        """stdout of a command that must succeed and write nothing to stderr."""
        done = self.run(*words, stdin=stdin)
        assert (done.returncode, done.stderr) == (0, b""), done
        return done.stdout.decode()

    def json(self, *words: object, stdin: Path | None = None) -> Any:
        """The parsed JSON output of a command that must succeed as for `ok`."""
        return json.loads(self.ok(*words, stdin=stdin))

    def fails(self, exit_code: int, *words: object, stdin: Path | None = None) -> str:
        """The one line on stderr of a command that must fail and write nothing to stdout."""
        done = self.run(*words, stdin=stdin)
        assert (done.returncode, done.stdout) == (exit_code, b""), done
        (line,) = done.stderr.decode().splitlines()
        return line

    def without_key(self) -> Tfevents:
        """The same command without an API key."""
        env = {name: text for name, text in self.env.items() if name != "TFEVENTS_API_KEY"}
        return replace(self, env=env)

    def put(self, *names: str) -> None:
        """Puts events into the journal, in this order, where they wait; `data.name` tells them
        apart."""
        for name in names:
            done = self.without_key().run("send", "plan", "--data", f"name={name}")
            assert done.returncode == 0, done

    def shell(self, script: str) -> str:
        """stdout of a bash script in which `tfevents` is the installed one."""
        env = {**self.env, "PATH": f"{PROGRAM.parent}:{self.env['PATH']}"}
        command = ["/bin/bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(command, env=env, cwd=self.cwd, capture_output=True, check=True)
        return done.stdout.decode()

    def provisioner(self, script: str, name: str = "terraform") -> Path:
        """Writes a shell script as the `terraform` that is first on PATH; returns its path."""
        path = self.home.parent / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def provisioner_that_waits(self) -> Path:
        """Makes a `terraform` whose refresh creates the returned file, and ends once that file is
        removed."""
        started = self.cwd / "started"
        wait = f"touch {started}; while [ -e {started} ]; do sleep 0.1; done"
        self.provisioner(f'[ "$1" = refresh ] || exit 1; {wait}')
        return started
