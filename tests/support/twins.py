"""Twins are two identical copies of a directory, in which `tf` and `terraform` do the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from support.engines import clean_env, terraform
from support.terminal import Terminal

TF = Path(sys.executable).with_name("tf")
"""The installed console script."""

_MASKS = (
    (rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", b"UUID"),
    (rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", b"TIME"),
    (rb"(after|elapsed|\[)( ?)(\d+m)?\d+s", rb"\1\2SECONDS"),
    (rb'"elapsed_seconds":\d+', b'"elapsed_seconds":N'),
)
FOOTER = re.compile(
    rb"(\x1b\[90m)?\n\xe2\x94\x80[\xe2\x94\x80]+(\x1b\[0m)?\n\n"
    rb"Note: You didn't use the -out option(?s:.*)\Z"
)
_WARNING = re.compile(
    rb"(?m)^(\x1b\[0m)?\x1b\[33m\xe2\x95\xb7(?s:.*?)^\x1b\[33m\xe2\x95\xb5[^\n]*\n"
)
OURS = re.compile(rb"(?m)(?:^|(?<=\x1b\[0m))tfevents: [^\n]*\n")


@dataclass(frozen=True)
class Said:
    """What a command left: masked output, its exit code, and how many lines were tfevents' own."""

    stdout: bytes
    stderr: bytes
    code: int
    ours: int = 0

    def without_footer(self) -> Said:
        """The result without terraform's advice below a plan that was not saved."""
        return replace(self, stdout=FOOTER.sub(b"", self.stdout))

    def without_warnings(self) -> Said:
        """The result without warning boxes, which may be shown earlier or twice if a run is
        split."""
        return replace(self, stdout=_WARNING.sub(rb"\1", self.stdout))

    def __str__(self) -> str:
        return f"{self.code}\n{self.stdout.decode()}\n-- stderr\n{self.stderr.decode()}"


@dataclass(frozen=True)
class Twins:
    """`theirs` is terraform's copy, `ours` is tf's; `env` is the whole environment of both."""

    theirs: Path
    ours: Path
    env: Mapping[str, str]

    def both(self, *words: str, stdin: bytes = b"", **env: str) -> tuple[Said, Said]:
        """Runs a command in both copies, through pipes."""
        return (
            self._run([terraform(), *words], self.theirs, stdin, env),
            self._run([TF, *words], self.ours, stdin, env),
        )

    def alone(self, *words: str, stdin: bytes = b"", **env: str) -> Said:
        """Runs a command by `tf` only."""
        return self._run([TF, *words], self.ours, stdin, env)

    def in_terminals(
        self,
        words: Sequence[str],
        play: Callable[[Terminal], None] = lambda _: None,
        size: tuple[int, int] = (40, 120),
        **env: str,
    ) -> tuple[Said, Said]:
        """Runs a command in both copies, each in a terminal in which `play` types."""
        theirs = self._sit([terraform(), *words], self.theirs, play, size, env)
        return theirs, self._sit([TF, *words], self.ours, play, size, env)

    def shell(self, script: str, **env: str) -> tuple[Said, Said]:
        """Runs a shell script in both copies; `$T` is the program."""
        return (
            self._run(["/bin/sh", "-c", script], self.theirs, b"", {"T": str(terraform()), **env}),
            self._run(["/bin/sh", "-c", script], self.ours, b"", {"T": str(TF), **env}),
        )

    def _run(
        self, command: Sequence[str | Path], cwd: Path, stdin: bytes, env: Mapping[str, str]
    ) -> Said:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**self.env, **env},
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return self._said(done.stdout, done.stderr, done.returncode, cwd)

    def _sit(
        self,
        command: Sequence[str | Path],
        cwd: Path,
        play: Callable[[Terminal], None],
        size: tuple[int, int],
        env: Mapping[str, str],
    ) -> Said:
        with Terminal(command, env={**self.env, **env}, cwd=cwd, size=size) as terminal:
            play(terminal)
            code = terminal.wait()
            return self._said(terminal.output.replace(b"\r\n", b"\n"), b"", code, cwd)

    def _said(self, stdout: bytes, stderr: bytes, code: int, cwd: Path) -> Said:
        own = len(OURS.findall(stdout)) + len(OURS.findall(stderr))
        return Said(mask_output(stdout, cwd), mask_output(stderr, cwd), code, own)


def twins(tmp_path: Path, files: Mapping[str, str], *engines: Path) -> Twins:
    """Makes two copies of a project, and an environment that has nothing of this machine."""
    env = clean_env(tmp_path / "home", *engines or (terraform(),))
    pair = Twins(tmp_path / "theirs" / "project", tmp_path / "ours" / "project", env)
    for place in (pair.theirs, pair.ours):
        for name, text in files.items():
            file = place / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    return pair


def same(said: tuple[Said, Said]) -> Said:
    """Asserts that `tf` printed and returned what terraform did; returns the result of `tf`."""
    theirs, ours = said
    assert ours.stdout.decode() == theirs.stdout.decode()
    assert ours.stderr.decode() == theirs.stderr.decode()
    assert ours.code == theirs.code
    assert ours.ours <= 1
    return ours


def mask_output(text: bytes, cwd: Path) -> bytes:
    """A command's output in `cwd` without tfevents' line; what differs between any two runs is
    masked."""
    text = OURS.sub(b"", text).replace(os.fsencode(cwd), b"DIRECTORY")
    for pattern, word in _MASKS:
        text = re.sub(pattern, word, text)
    return text
