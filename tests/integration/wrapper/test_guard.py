"""Any error in tfevents before terraform is started ends in becoming terraform, with at most one
line.

No list of possible errors is kept: a driver lists every function of tfevents that is called before
terraform is started, and makes each of them raise, in a process of its own.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.engines import clean_env
from support.exhaustive import exhaustive_except
from support.twins import TF

import tfevents

PACKAGES = Path(tfevents.__file__).parents[1]
CODE = 3
ENGINE = f"""\
printf '%s|' "$@" >>"$CALLS"
echo >>"$CALLS"
exit {CODE}
"""
ERRORS = (
    *("RecursionError()", "MemoryError()", "ValueError('embedded null byte')", "KeyError('x')"),
    *("OSError(5, 'I/O error')", "UnicodeError()", "RuntimeError()", "PermissionError(13, 'no')"),
    *("AssertionError()", "ModuleNotFoundError('x')", "FileNotFoundError(2, 'no', '/x')"),
)
COMMANDS = (
    *("plan", "apply -auto-approve", "apply saved", "destroy", "refresh"),
    *("import a.b c", "version"),
)
DRIVER = """\
import os, sys
prefix, wanted, kind, listing = {prefix!r}, {wanted!r}, {kind!r}, {listing!r}
called = []
def watch(frame, event, _):
    code = frame.f_code
    if event != "call" or not code.co_filename.startswith(prefix):
        return
    name = f"{{code.co_filename[len(prefix):]}}:{{code.co_firstlineno}}:{{code.co_name}}"
    if listing and name not in called:
        called.append(name)
    if wanted in (name, code.co_name, name.replace(f":{{code.co_firstlineno}}:", ":")):
        sys.setprofile(None)
        raise eval(kind)
def hear(event, _):
    if event in ("os.exec", "os.posix_spawn") and sys.getprofile():
        sys.setprofile(None)
        if wanted and wanted.count(":") < 2:  # the others may come a moment later
            print("it is never called:", wanted, file=sys.stderr)
        if listing:
            with open(listing, "w") as file:
                file.write("\\n".join(called))
sys.addaudithook(hear)
sys.setprofile(watch)
"""


@dataclass(frozen=True)
class Early:
    """A project, and an environment in which `tf` runs with errors planted in its functions."""

    root: Path
    env: Mapping[str, str]

    def run(
        self,
        words: str,
        wanted: str = "",
        kind: str = "",
        listing: str = "",
        program: Path = TF,
        **env: str,
    ) -> list[str]:
        """Runs `tf`, and asserts terraform's exit code and at most one line of tfevents; returns
        the calls of terraform, one line each. `wanted`: the function that raises; `kind`: the error
        as an expression; `listing`: a file to which the names of the called functions are
        written."""
        calls = self.root / "calls"
        calls.write_text("")
        prefix = f"{PACKAGES}/tfevents/"
        driver = DRIVER.format(prefix=prefix, wanted=wanted, kind=kind, listing=listing)
        done = subprocess.run(
            [
                sys.executable,
                "-IS",
                "-c",
                driver + start(),
                str(PACKAGES),
                "",
                program,
                *words.split(),
            ],
            env={**self.env, "CALLS": str(calls), **env},
            cwd=self.root / "project",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        what = (words, wanted, kind, done.stderr)
        assert done.returncode == CODE, what
        assert [line for line in done.stderr.splitlines() if "tfevents: " not in line] == [], what
        assert done.stderr.count("\n") <= 1, what
        return calls.read_text().splitlines()

    def functions(self, words: str) -> list[str]:
        """The functions of tfevents that are called before terraform is started."""
        listing = self.root / "functions"
        self.run(words, listing=str(listing))
        return listing.read_text().splitlines()


def start() -> str:
    """The Python code that the launcher has Python run."""
    found = re.search(r"^_tf_start='(.*?)'$", TF.read_text(), re.S | re.M)
    assert found
    return found[1]


@pytest.fixture
def early(tmp_path: Path) -> Early:
    """A project with one of each file that tfevents reads before terraform starts."""
    project = tmp_path / "project"
    (project / ".terraform").mkdir(parents=True)
    (project / "main.tf").write_text('resource "terraform_data" "a" {}\n')
    (project / ".terraform" / "environment").write_text("default")
    (project / ".terraform" / "terraform.tfstate").write_text('{"backend": {"type": "local"}}')
    engine = tmp_path / "home" / "bin" / "terraform"
    env = clean_env(tmp_path / "home")
    engine.write_text(f"#!/bin/sh\n{ENGINE}")
    engine.chmod(0o755)
    return Early(tmp_path, env)


def asked(calls: Iterable[str], words: str) -> list[list[str]]:
    """The calls of the user's subcommand, without the flags that tfevents adds."""
    ours = ("-out=", "-detailed-exitcode", "-input=")
    split = [call.split("|")[:-1] for call in calls]
    command, *_ = words.split()
    return [[w for w in c if not w.startswith(ours)] for c in split if c[0] == command]


@pytest.mark.parametrize("words", exhaustive_except(COMMANDS, "version"))
def test_each_early_function_may_raise(early: Early, words: str) -> None:
    """Terraform runs once with the user's arguments, whichever function raises before it is
    started; the kinds of errors take turns."""
    functions = early.functions(words)
    assert len(functions) > 20 or words == "version"
    usual = set(early.functions("plan")) if words != "plan" else set()
    for number, function in enumerate(functions):
        if function not in usual:
            calls = early.run(words, function, ERRORS[number % len(ERRORS)])
            assert ran(calls, words), (function, calls)


GUARDED = [
    ("run_and_report", "plan"),
    ("is_reported", "plan"),
    ("exec_provisioner", "version"),
    ("main", "version"),
    ("find_binary", "plan"),
    ("start", "plan"),
]


@pytest.mark.parametrize("kind", exhaustive_except(ERRORS, "RecursionError()"))
@pytest.mark.parametrize(("where", "words"), exhaustive_except(GUARDED, *GUARDED[:4]))
def test_every_kind_of_error_is_taken(early: Early, where: str, words: str, kind: str) -> None:
    """Terraform runs once after an error of any kind at each place that has a guard."""
    assert ran(early.run(words, where, kind), words)


TFEVENTS = TF.with_name("tfevents")


WHERE = ["run_and_report", "_open_closed_streams", "_write_run_note", "_run_and_deliver"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("where", exhaustive_except(WHERE, "_run_and_deliver"))
def test_a_stage_and_the_explicit_way_have_the_guard(early: Early, where: str) -> None:
    """`tfevents plugin` and `tfevents run` run terraform after an early error as `tf` does."""
    assert ran(early.run("run terraform plan", where, "ValueError()", program=TFEVENTS), "plan")
    stage = {"PLUGIN_COMMAND": "plan", "PLUGIN_INIT": "never"}
    calls = early.run(
        "plugin", f"wrapper/run.py:{where}", "ValueError()", program=TFEVENTS, **stage
    )
    assert [call.split("|")[0] for call in calls] == ["plan"]


DEEP = '{"backend": ' * 100_000
ODD_FILES = {
    "deep": (".terraform/terraform.tfstate", DEEP),
    "deep list": (".terraform/terraform.tfstate", "[" * 100_000),
    "NUL": (".terraform/environment", "a\0b"),
    "long": (".terraform/environment", "x" * 1_000_000),
    "NUL in path": (
        ".terraform/terraform.tfstate",
        '{"backend": {"type": "local", "config": {"path": "a\\u0000b"}}}',
    ),
    "no path": (
        ".terraform/terraform.tfstate",
        '{"backend": {"type": "local", "config": {"path": [1], "workspace_dir": {}}}}',
    ),
    "no backend": (".terraform/terraform.tfstate", '{"backend": {"type": "local", "config": 7}}'),
    "settings": (".tfevents.hcl", 'harness {\n  org = "\0"\n}\n'),
}


ODDLY = ["plan", "apply -auto-approve", "apply saved", "version"]


@pytest.mark.parametrize("what", exhaustive_except(ODD_FILES, "deep"))
@pytest.mark.parametrize("words", exhaustive_except(ODDLY, "apply -auto-approve"))
def test_no_file_keeps_terraform_from_running(early: Early, what: str, words: str) -> None:
    """Terraform runs whatever the files of a checkout contain: too deep, too long, with NUL bytes
    or wrong types."""
    name, text = ODD_FILES[what]
    (early.root / "project" / name).write_text(text)
    assert ran(early.run(words), words)


def ran(calls: Sequence[str], words: str) -> bool:
    """Whether terraform was called exactly once with the user's arguments."""
    if words in ("destroy", "apply -auto-approve"):
        return len(asked(calls, words) + asked(calls, "plan")) == 1
    return asked(calls, words) == [words.split()]
