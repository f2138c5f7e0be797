"""Which terraform or tofu binary runs, never tfevents itself; and that a run is recorded once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.engines import clean_env, write_executable
from support.exhaustive import exhaustive_except
from support.twins import TF
from support.warm import read_log

ENGINE = """\
import os, sys
print("engine:", "{name}", *sys.argv[1:])
sys.exit(int(os.environ.get("CODE", "0")))
"""
OBSERVED = ("refresh",)
PASSED_ON = ("version",)


@dataclass(frozen=True)
class Machine:
    """Directories with binaries, scripts and links, which a test puts on PATH."""

    root: Path
    env: Mapping[str, str]

    def directory(self, name: str) -> Path:
        """A directory that can be put on PATH; made on first use."""
        path = self.root / name
        path.mkdir(exist_ok=True, parents=True)
        return path

    def engine(self, name: str = "terraform", where: str = "engines", says: str = "") -> Path:
        """Writes a stand-in binary that prints its name and arguments."""
        path = self.directory(where) / name
        return write_executable(path, ENGINE.format(name=says or name))

    def script(self, text: str, name: str = "terraform", where: str = "shims") -> Path:
        """Writes a shell script."""
        path = self.directory(where) / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def link(self, name: str = "terraform", where: str = "shims", to: Path = TF) -> Path:
        """Makes a symbolic link to `tf`."""
        path = self.directory(where) / name
        path.symlink_to(to)
        return path

    def run(
        self, command: Sequence[str | Path], path: Sequence[str], **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command with these directories first on PATH."""
        places = [str(self.directory(name)) for name in path]
        whole = {**self.env, "PATH": os.pathsep.join([*places, "/usr/bin", "/bin"]), **env}
        return subprocess.run(
            [str(word) for word in command],
            env=whole,
            cwd=self.directory("project"),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def runs(self) -> list[str]:
        """The commands of the runs in the journal."""
        return [run["command"] for run in read_log(self.env)["runs"]]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without a terraform."""
    return Machine(tmp_path, clean_env(tmp_path / "home"))


both = pytest.mark.parametrize("words", [PASSED_ON, OBSERVED], ids=["passed-on", "observed"])
mostly_observed = pytest.mark.parametrize(
    "words",
    [pytest.param(PASSED_ON, marks=pytest.mark.exhaustive), OBSERVED],
    ids=["passed-on", "observed"],
)


@both
def test_terraform_comes_before_tofu(machine: Machine, words: tuple[str, ...]) -> None:
    """If both are on PATH, terraform is run, whatever the order of their directories."""
    machine.engine("tofu", "first")
    machine.engine("terraform", "second")
    assert machine.run([TF, *words], ["first", "second"]).stdout.startswith("engine: terraform")
    assert machine.run([TF, *words], ["first"]).stdout.startswith("engine: tofu")


WANTED = ["tofu", "{engines}/tofu", "~/mine", "sub/../tofu"]


@both
@pytest.mark.parametrize("wanted", exhaustive_except(WANTED, "~/mine"))
def test_the_one_that_is_asked_for(machine: Machine, words: tuple[str, ...], wanted: str) -> None:
    """TFEVENTS_PROVISIONER chooses the binary, by name, by an absolute or relative path, or by
    `~`."""
    machine.engine("terraform")
    tofu = machine.engine("tofu")
    Path(machine.env["HOME"], "mine").symlink_to(tofu)
    machine.directory("project/sub")
    machine.directory("project").joinpath("tofu").symlink_to(tofu)
    wanted = wanted.format(engines=tofu.parent)
    done = machine.run([TF, *words], ["engines"], TFEVENTS_PROVISIONER=wanted)
    assert done.stdout.startswith("engine: tofu")


@mostly_observed
@pytest.mark.parametrize("named", exhaustive_except(["tofu", "./x.sh", "tofuu"], "./x.sh"))
def test_no_settings_file_says_which(machine: Machine, words: tuple[str, ...], named: str) -> None:
    """No settings file chooses the binary, as a checkout's file can come from anybody; only
    TFEVENTS_PROVISIONER does."""
    machine.engine("terraform")
    machine.engine("tofu")
    project, config = machine.directory("project"), Path(machine.env["HOME"], ".config", "tfevents")
    config.mkdir(parents=True)
    shutil.copy(machine.engine("terraform"), project / "x.sh")
    for path in (project / ".tfevents.hcl", config / "config.hcl"):
        path.write_text(f'provisioner = "{named}"\n')
        assert machine.run([TF, *words], ["engines"]).stdout.startswith("engine: terraform")
    done = machine.run([TF, *words], ["engines"], TFEVENTS_PROVISIONER="tofu")
    assert done.stdout.startswith("engine: tofu")


@both
def test_nothing_to_run_is_127(machine: Machine, words: tuple[str, ...]) -> None:
    """Without terraform or tofu on PATH, the exit code is 127, and one line says what to do."""
    done = machine.run([TF, *words], [])
    assert done.returncode == 127
    assert done.stderr.startswith("tfevents: no terraform or tofu on PATH: install one, or ")
    assert done.stderr.count("\n") == 1
    assert machine.runs() == []


@both
@pytest.mark.parametrize("wanted", ["no-such-tool", "/no/such/tool"])
def test_a_wrong_name_is_127(machine: Machine, words: tuple[str, ...], wanted: str) -> None:
    """If TFEVENTS_PROVISIONER names no binary, the exit code is 127, and one line has the variable
    and its value."""
    machine.engine()
    done = machine.run([TF, *words], ["engines"], TFEVENTS_PROVISIONER=wanted)
    assert done.returncode == 127
    assert done.stderr.startswith("tfevents: TFEVENTS_PROVISIONER names ")
    assert wanted in done.stderr
    assert done.stderr.count("\n") == 1


@both
def test_what_may_not_be_run_is_126(machine: Machine, words: tuple[str, ...]) -> None:
    """For a binary without execute permission, the exit code is 126, and one line names the
    binary."""
    engine = machine.engine()
    engine.chmod(0o644)
    done = machine.run([TF, *words], ["engines"], TFEVENTS_PROVISIONER=str(engine))
    assert (done.returncode, done.stderr.count("\n")) == (126, 1)
    assert str(engine) in done.stderr


@both
@pytest.mark.parametrize(
    "head", [b"\x7fELF nonsense", b"#!/no/such/interpreter\n"], ids=["format", "interpreter"]
)
def test_what_cannot_be_run_is_told(machine: Machine, words: tuple[str, ...], head: bytes) -> None:
    """A binary for another machine, or a script without its interpreter, is one line and no run in
    the journal."""
    engine = machine.engine()
    engine.write_bytes(head)
    done = machine.run([TF, *words], ["engines"])
    assert done.returncode in (126, 127)
    assert done.stderr.count("\n") == 1
    assert machine.runs() == []


@both
@pytest.mark.parametrize("name", exhaustive_except(["terraform", "tofu"], "tofu"))
def test_a_link_in_terraforms_place(machine: Machine, words: tuple[str, ...], name: str) -> None:
    """A link to `tf` called `terraform` or `tofu` runs the next binary of that name on PATH."""
    machine.engine("terraform")
    machine.engine("tofu")
    shim = machine.link(name)
    for command in (shim, name):
        done = machine.run([command, *words], ["shims", "engines"])
        assert done.stdout.startswith(f"engine: {name} ")
    assert machine.runs() == [w for w in words if words == OBSERVED for _ in range(2)]


SCRIPTS = [
    'exec tf "$@"',
    'tf "$@"',
    '{tf} "$@"',
    'exec "{tf}" "$@"',
    'export X=1\nexec tf "$@"',
    'T=tf\nexec "$T" "$@"',
    'T=tf\n"$T" "$@"',
    'exec env X=1 tf "$@"',
    'exec tfevents run -- terraform "$@"',
]


@both
@pytest.mark.parametrize("text", exhaustive_except(SCRIPTS, 'T=tf\nexec "$T" "$@"'))
def test_a_script_in_terraforms_place(machine: Machine, words: tuple[str, ...], text: str) -> None:
    """A script called `terraform` that calls `tf` is not run by `tf` again, however it is written,
    and the run is recorded once."""
    machine.engine()
    machine.directory("ours").joinpath("tf").symlink_to(TF)
    machine.directory("ours").joinpath("tfevents").symlink_to(TF.with_name("tfevents"))
    machine.script(text.format(tf=TF))
    done = machine.run(["terraform", *words], ["shims", "ours", "engines"])
    assert done.stdout.startswith("engine: terraform "), done.stderr
    assert machine.runs() == [w for w in words if words == OBSERVED]


@mostly_observed
def test_scripts_that_call_each_other(machine: Machine, words: tuple[str, ...]) -> None:
    """Two scripts called `terraform` that both call `tf` are both skipped, and the run is recorded
    once."""
    machine.engine()
    machine.directory("ours").joinpath("tf").symlink_to(TF)
    machine.script('T=tf; "$T" "$@"', where="a")
    machine.script('T=tf; "$T" "$@"', where="b")
    done = machine.run(["terraform", *words], ["a", "b", "ours", "engines"])
    assert done.stdout.startswith("engine: terraform "), done.stderr
    assert machine.runs() == [w for w in words if words == OBSERVED]


def test_a_wrapper_of_somebody_elses_is_run(machine: Machine) -> None:
    """A script that does not call `tf`, such as a version manager's shim, is run like a binary."""
    engine = machine.engine(where="versions")
    machine.script(f'exec {engine} "$@"', where="manager")
    assert machine.run([TF, "refresh"], ["manager"]).stdout.startswith("engine: terraform")
    assert machine.runs() == ["refresh"]


@both
@pytest.mark.parametrize("code", exhaustive_except([0, 1, 2, 3, 86, 126, 127, 255], 2))
def test_the_exit_code_is_terraforms(machine: Machine, words: tuple[str, ...], code: int) -> None:
    """`tf` exits with terraform's exit code."""
    machine.engine()
    assert machine.run([TF, *words], ["engines"], CODE=str(code)).returncode == code


def test_switched_off_it_is_terraform(machine: Machine) -> None:
    """With TFEVENTS_DISABLED, `tf` only runs terraform and records nothing."""
    machine.engine()
    done = machine.run([TF, "refresh"], ["engines"], TFEVENTS_DISABLED="1")
    assert (done.stdout, done.stderr) == ("engine: terraform refresh\n", "")
    assert machine.runs() == []


@pytest.mark.exhaustive
def test_the_explicit_way_is_the_same(machine: Machine) -> None:
    """`tfevents run` runs the binary that its argument names, and records the run."""
    machine.engine("terraform")
    tofu = machine.engine("tofu")
    tfevents = TF.with_name("tfevents")
    for named, says in (("terraform", "terraform"), ("tofu", "tofu"), (str(tofu), "tofu")):
        done = machine.run([tfevents, "run", "--", named, "refresh"], ["engines"], CODE="3")
        assert (done.stdout, done.returncode) == (f"engine: {says} refresh\n", 3)
    assert machine.runs() == ["refresh"] * 3


def test_our_keys_are_not_inherited(machine: Machine) -> None:
    """Terraform does not inherit tfevents' API keys; it inherits HARNESS_API_KEY, which Harness'
    provider reads."""
    write_executable(machine.directory("engines") / "terraform", PRINT_ENVIRONMENT)
    keys = {
        "TFEVENTS_API_KEY": "pat.acct.id.canary",
        "PLUGIN_API_KEY": "pat.acct.id.canary",
        "PLUGIN_TFEVENTS_API_KEY": "pat.acct.id.canary",
        "HARNESS_API_KEY": "pat.acct.id.theirs",
    }
    for words in (PASSED_ON, OBSERVED):
        seen = json.loads(machine.run([TF, *words], ["engines"], **keys).stdout.splitlines()[0])
        assert "canary" not in json.dumps(seen)
        assert seen["HARNESS_API_KEY"] == "pat.acct.id.theirs"


PRINT_ENVIRONMENT = "import json, os\nprint(json.dumps(dict(os.environ)))\n"


LOCKED = """\
# This file is maintained automatically
provider "registry.{}/hashicorp/random" {{
  version = "3.6.0"
  hashes = ["h1:abc", "provider registry.example"]
}}
"""
TERRAFORMS, TOFUS = LOCKED.format("terraform.io"), LOCKED.format("opentofu.org")
DIRECTORIES = {
    "no sign": ({}, "terraform"),
    "terraform's lock": ({".terraform.lock.hcl": TERRAFORMS}, "terraform"),
    "OpenTofu's lock": ({".terraform.lock.hcl": TOFUS}, "tofu"),
    "of both": ({".terraform.lock.hcl": TOFUS + TERRAFORMS}, "terraform"),
    "of both, and a file": ({".terraform.lock.hcl": TOFUS + TERRAFORMS, "a.tofu": ""}, "tofu"),
    "a private registry": ({".terraform.lock.hcl": LOCKED.format("example.com")}, "terraform"),
    "private, and a file": ({".terraform.lock.hcl": LOCKED.format("me"), "x.tofu": ""}, "tofu"),
    "OpenTofu's file": ({"main.tf": "", "main.tofu": ""}, "tofu"),
    "OpenTofu's JSON": ({"main.tofu.json": "{}"}, "tofu"),
    "terraform's lock, OpenTofu's file": (
        {".terraform.lock.hcl": TERRAFORMS, "main.tofu": ""},
        "terraform",
    ),
    "only mentioned": ({".terraform.lock.hcl": "# registry.opentofu.org/x"}, "terraform"),
    "too large": ({".terraform.lock.hcl": TOFUS + "#" * (1 << 20)}, "terraform"),
    "no text": ({".terraform.lock.hcl": "\0" * 100}, "terraform"),
}


@both
@pytest.mark.parametrize("what", exhaustive_except(DIRECTORIES, "OpenTofu's lock"))
@pytest.mark.parametrize("chdir", exhaustive_except([True, False], True))
def test_the_one_that_initialised_the_directory(
    machine: Machine, words: tuple[str, ...], what: str, chdir: bool
) -> None:
    """If both are on PATH, the tool that initialised the directory is run; TFEVENTS_PROVISIONER has
    precedence."""
    files, expected = DIRECTORIES[what]
    for name in ("terraform", "tofu"):
        machine.engine(name)
    place = machine.directory("project/a b" if chdir else "project")
    for name, text in files.items():
        (place / name).write_text(text)
    where = ["-chdir=a b"] if chdir else []
    done = machine.run([TF, *where, *words], ["engines"])
    assert done.stdout.startswith(f"engine: {expected} "), done.stderr
    for name in ("terraform", "tofu"):
        done = machine.run([TF, *where, *words], ["engines"], TFEVENTS_PROVISIONER=name)
        assert done.stdout.startswith(f"engine: {name} ")


@both
@pytest.mark.parametrize("name", exhaustive_except(["terraform", "tofu"], "tofu"))
def test_a_shims_name_stands_above_the_directory(
    machine: Machine, words: tuple[str, ...], name: str
) -> None:
    """The name of a link to `tf` has precedence over the tool that initialised the directory."""
    for engine in ("terraform", "tofu"):
        machine.engine(engine)
    other = TERRAFORMS if name == "tofu" else TOFUS
    (machine.directory("project") / ".terraform.lock.hcl").write_text(other)
    done = machine.run([machine.link(name), *words], ["engines"])
    assert done.stdout.startswith(f"engine: {name} ")


@pytest.mark.exhaustive
@both
@pytest.mark.parametrize("kind", ["fifo", "directory", "link"])
def test_an_odd_lock_file_says_nothing(machine: Machine, words: tuple[str, ...], kind: str) -> None:
    """A lock file that is a FIFO, a directory or a link is ignored."""
    for name in ("terraform", "tofu"):
        machine.engine(name)
    lock = machine.directory("project") / ".terraform.lock.hcl"
    if kind == "fifo":
        os.mkfifo(lock)
    elif kind == "directory":
        lock.mkdir()
    else:
        (machine.root / "elsewhere").write_text(TOFUS)
        lock.symlink_to(machine.root / "elsewhere")
    done = machine.run([TF, *words], ["engines"])
    assert done.stdout.startswith("engine: terraform "), done.stderr
