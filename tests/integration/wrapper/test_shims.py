"""A script named `terraform` that calls `tf`: the real terraform is run once, with exactly the
user's arguments."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.engines import clean_env, write_executable
from support.exhaustive import exhaustive_except
from support.twins import TF
from support.warm import read_log

ENGINE = """\
import json, os, sys
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:]]) + "\\n")
sys.exit(5)
"""
CODE = 5
SHIMS = {
    "none": [],
    "plain": ['tf "$@"'],
    "exec": ['exec tf "$@"'],
    "path": ['exec "{tf}" "$@"'],
    "hidden": ['T=tf\nexec "$T" "$@"'],
    "waits": ['T=tf\n"$T" "$@"; exit $?'],
    "variable": ['export X=1\nexec env Y=2 tf "$@"'],
    "deep": ['T=tf\n(:; (:; "$T" "$@"; exit $?); exit $?); exit $?'],
    "launcher": ['T=tf\ntimeout 20 "$T" "$@"; exit $?'],
    "explicit": ['exec tfevents run -- terraform "$@"'],
    "itself": ['exec tfevents run -- "$0" "$@"'],
    "two": ['T=tf\nexec "$T" "$@"', 'exec tf "$@"'],
    "two that wait": ['T=tf\n"$T" "$@"; exit $?', 'T=tf\n"$T" "$@"; exit $?'],
    "one by the other": ['exec "$TWO" "$@"', 'T=tf\nexec "$T" "$@"'],
    "three": ['T=tf\nexec "$T" "$@"', 'exec tfevents run -- terraform "$@"', 'T=tf; "$T" "$@"'],
}
COMMANDS = {
    "nothing": [],
    "odd": ["-chdir=a b", "workspace", "select", "", "a  b", "*", "-x=$HOME"],
    "refresh": ["refresh", "-var=x=a  *"],
    "plan": ["plan", ""],
}
REPORTED = ("refresh", "plan")


@dataclass(frozen=True)
class Machine:
    """A PATH that has shims, then tfevents, then a real terraform."""

    root: Path
    path: Sequence[Path]

    def run(
        self, program: str | Path, words: Sequence[str], **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a program that is looked up on this PATH."""
        places = os.pathsep.join(map(str, [*self.path, "/usr/bin", "/bin"]))
        whole = {**self.env, "PATH": places, "CALLS": str(self.root / "calls"), **env}
        return subprocess.run(
            [shutil.which(program, path=places) or program, *words],
            env=whole,
            cwd=self.root / "a checkout of tfevents",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def env(self) -> dict[str, str]:
        """An environment that has nothing of this machine."""
        return clean_env(self.root / "home")

    def calls(self, command: Sequence[str]) -> list[list[str]]:
        """The calls of the real terraform for this command, without the flag that tfevents adds."""
        calls = [json.loads(line) for line in (self.root / "calls").read_text().splitlines()]
        ours = [c for c in calls if c[1:2] == list(command[:1])]
        return [[w for w in c if not w.startswith("-out=/")] for c in ours]

    def runs(self) -> int:
        """The number of runs in the journal."""
        return len(read_log(self.env)["runs"])


def machine(tmp_path: Path, shims: Sequence[str], name: str = "terraform") -> Machine:
    """A machine with these shims, the first one first on PATH, each in a directory of its own."""
    places = [tmp_path / f"shims {number}" for number in range(len(shims))]
    ours, engines = tmp_path / "ours", tmp_path / "engines"
    for place in (*places, ours, engines, tmp_path / "a checkout of tfevents"):
        place.mkdir()
    for place, text in zip(places, shims, strict=True):
        write_script(place / name, f"TWO='{places[-1]}/{name}'\n{text.format(tf=TF)}")
    for program in ("tf", "tfevents"):
        (ours / program).symlink_to(TF.with_name(program))
    write_executable(engines / name, ENGINE)
    return Machine(tmp_path, [*places, ours, engines])


def write_script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.exhaustive
@pytest.mark.parametrize("shim", exhaustive_except(SHIMS, "deep", "explicit"))
@pytest.mark.parametrize("command", exhaustive_except(COMMANDS, "odd", "refresh"))
@pytest.mark.parametrize("program", exhaustive_except(["terraform", "tf"], "terraform"))
def test_the_real_one_gets_the_users_words(
    tmp_path: Path, shim: str, command: str, program: str
) -> None:
    """The real terraform is called once with the user's arguments, whichever shim is in between,
    and a reported command is reported once."""
    there, words = machine(tmp_path, SHIMS[shim]), COMMANDS[command]
    done = there.run(program, words)
    assert (done.returncode, done.stdout) == (CODE, ""), done.stderr
    assert there.calls(words) == [["terraform", *words]]
    through = program == "tf" or shim != "none"
    assert there.runs() == (1 if command in REPORTED and through else 0)


NAMED = ["", "terraform", "{engines}/terraform", "../engines/terraform"]


@pytest.mark.parametrize(
    "shim", exhaustive_except(["plain", "hidden", "waits", "two", "none"], "waits")
)
@pytest.mark.parametrize("disabled", ["1", " ON"])
@pytest.mark.parametrize("named", exhaustive_except(NAMED, "", "../engines/terraform"))
def test_each_way_of_the_front(tmp_path: Path, shim: str, disabled: str, named: str) -> None:
    """With TFEVENTS_DISABLED, decided by the launcher or by Python, the real terraform runs,
    whether TFEVENTS_PROVISIONER is a name, a path or unset."""
    there = machine(tmp_path, SHIMS[shim])
    env = {"TFEVENTS_PROVISIONER": named.format(engines=there.path[-1])}
    done = there.run("tf", ["plan", "x y"], TFEVENTS_DISABLED=disabled, **env)
    assert (done.returncode, done.stdout, done.stderr) == (CODE, "", "")
    assert there.calls(["plan"]) == [["terraform", "plan", "x y"]]


@pytest.mark.parametrize("command", ["version", "refresh"])
@pytest.mark.parametrize("shim", exhaustive_except(SHIMS, "none", "path", "three"))
def test_without_a_python_there_is_no_loop(tmp_path: Path, shim: str, command: str) -> None:
    """In an incomplete installation without Python, a shim does not loop: the real terraform is run
    once, and one line says that a command is not reported."""
    shims = [text for text in SHIMS[shim] if "tfevents" not in text]
    there = machine(tmp_path, shims)
    for program in ("tf", "tfevents"):
        (there.root / "ours" / program).unlink()
        shutil.copy(TF, there.root / "ours" / program)
    if "{tf}" in "".join(SHIMS[shim]):
        write_script(there.path[0] / "terraform", f'exec "{there.root}/ours/tf" "$@"')
    done = there.run("terraform", [command, "a b"])
    assert (done.returncode, done.stdout) == (CODE, "")
    told = command == "refresh" and shims != []
    assert done.stderr.count("nothing is reported") == told == done.stderr.count("\n")
    assert there.calls([command]) == [["terraform", command, "a b"]]


SOMEBODYS = {
    "a comment": '# installed for tfevents, see tf "$@"\nexec {real} "$@"',
    "a message": 'echo tfevents sees this >&2\nexec {real} "$@"',
    "a variable": 'export TFEVENTS_QUIET=1\nexec {real} "$@"',
    "another tf": 'tf() {{ {real} "$@"; }}\ntf "$@"',
    "a path": 'cd . # /opt/tfevents/bin/tf\n{real} "$@"',
}


@pytest.mark.parametrize("wrapper", exhaustive_except(SOMEBODYS, "another tf"))
@pytest.mark.parametrize("command", exhaustive_except(["version", "refresh"], "refresh"))
def test_a_script_that_mentions_us_is_a_terraform(
    tmp_path: Path, wrapper: str, command: str
) -> None:
    """A wrapper script that mentions tfevents or defines a `tf` of its own is run as terraform."""
    there = machine(tmp_path, [])
    real = there.path[-1] / "terraform"
    real = real.rename(real.with_name("terraform-bin"))
    write_script(there.path[-1] / "terraform", SOMEBODYS[wrapper].format(real=f'"{real}"'))
    done = there.run("tf", [command, "a b"])
    assert done.returncode == CODE, done.stderr
    assert there.calls([command]) == [["terraform-bin", command, "a b"]]


SETUP_TERRAFORM = """\
#!/usr/bin/env node
// tf "$@" of tfevents
const { spawnSync } = require('child_process');
const done = spawnSync(__dirname + '/terraform-bin', process.argv.slice(2), { stdio: 'inherit' });
process.exit(done.status);
"""


@pytest.mark.parametrize("command", exhaustive_except(["version", "refresh"], "refresh"))
def test_setup_terraforms_wrapper_is_a_terraform(tmp_path: Path, command: str) -> None:
    """The wrapper of hashicorp/setup-terraform, a node script beside `terraform-bin`, is run as
    terraform."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on PATH")
    there = machine(tmp_path, [])
    real = there.path[-1] / "terraform"
    real.rename(real.with_name("terraform-bin"))
    (there.root / "ours" / "node").symlink_to(node)
    real.write_text(SETUP_TERRAFORM)
    real.chmod(0o755)
    assert there.run("tf", [command, "a b"]).returncode == CODE
    assert there.calls([command]) == [["terraform-bin", command, "a b"]]


@pytest.mark.parametrize("command", ["version", "refresh"])
@pytest.mark.parametrize("copied", exhaustive_except([True, False], True))
def test_another_installation_of_ours_is_no_terraform(
    tmp_path: Path, command: str, copied: bool
) -> None:
    """A copy of or a link to a launcher that is called terraform is skipped: a launcher is
    recognised by its first bytes."""
    there = machine(tmp_path, [])
    other = there.path[0] / "terraform"
    shutil.copy(TF, other) if copied else other.symlink_to(TF)
    done = there.run("tf", [command, "a b"])
    assert (done.returncode, done.stdout) == (CODE, ""), done.stderr
    assert there.calls([command]) == [["terraform", command, "a b"]]


def test_a_terraform_that_runs_tf_is_a_run_of_its_own(tmp_path: Path) -> None:
    """If terraform itself runs `tf`, as a local-exec provisioner may, behind a version manager's
    script, both runs are reported."""
    there = machine(tmp_path, [])
    engines = there.path[-1]
    real = engines / "bin" / "terraform"
    real.parent.mkdir()
    shutil.copy("/bin/bash", real)
    write_script(
        engines / "terraform",
        f"[ \"$1\" != refresh ] || exec {real} -c 'tf plan inner; exit 5'\n"
        'echo "[\\"terraform\\", \\"$1\\"]" >>"$CALLS"; exit 5',
    )
    assert there.run("tf", ["refresh"]).returncode == CODE
    assert there.calls(["plan"]) == [["terraform", "plan"]]
    assert there.runs() == 2
