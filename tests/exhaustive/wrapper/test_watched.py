"""An apply through `tf` is the engine's own run, whatever happens to it: interrupts, locks,
refusals, full disks.

Runs with each engine that is available. Counts are the engine's own, or absent.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from support.filesproject import (
    ENGINES,
    TF,
    Project,
    Said,
    file_object,
    files_project,
    find_engine,
    without_ours,
)
from support.statestore import StateStore
from support.terminal import Terminal, kill_session

APPLY = ("apply", "-auto-approve", "-no-color")
PROMPT = "Enter a value:"
NOTHING = bytes(4)
"""The answer of ioctl FIONREAD if no bytes are left to be read."""


# these tests are slow, so only with the engine on PATH and those in TFEVENTS_TEST_ENGINES
@pytest.fixture(params=[name for name in ENGINES if name != "opentofu-1.6.2"])
def engine(request: pytest.FixtureRequest) -> Path:
    """The path of each engine that is available, except OpenTofu 1.6.2."""
    return find_engine(request.param)


@pytest.fixture
def project(engine: Path, tmp_path: Path) -> Project:
    """A project for the engine."""
    return files_project(tmp_path / "ours", engine)


def until(met: Callable[[], bool]) -> None:
    """Waits for a condition; AssertionError after 60 seconds."""
    deadline = time.monotonic() + 60
    while not met():
        assert time.monotonic() < deadline, "it did not come to that"
        select.select([], [], [], 0.02)


class Running:
    """A command that runs in a session of its own; its output goes to files."""

    def __init__(self, project: Project, *command: str | Path, **env: str) -> None:
        self.project = project
        self.out, self.err = project.place.parent / "out", project.place.parent / "err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                command,
                cwd=project.place,
                env={**project.env, **env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def says(self, text: str) -> None:
        """Waits until stdout has this text."""
        until(lambda: text in self.out.read_text())

    def end(self) -> Said:
        """Waits for the end of the run; returns its result with its events."""
        code = self.process.wait(90)
        return Said(code, self.out.read_text(), self.err.read_text(), self.project.heard())


@contextmanager
def running(project: Project, *command: str | Path, **env: str) -> Iterator[Running]:
    """Starts a command, and kills its whole session at the end."""
    run = Running(project, *command, **env)
    try:
        yield run
    finally:
        kill_session(run.process.pid)
        run.process.wait()


def right_or_absent(said: Said) -> None:
    """Asserts that the counts are what the engine reported as complete, or absent."""
    assert said.done() in (None, said.completed)


# At the prompt


def interrupt(terminal: Terminal) -> None:
    """Types Ctrl-C."""
    terminal.interrupt()


def terminate(terminal: Terminal) -> None:
    """Sends SIGTERM to the command alone."""
    terminal.kill(signal.SIGTERM)


def terminate_all(terminal: Terminal) -> None:
    """Sends SIGTERM to the whole process group, as `timeout` and CI systems do."""
    os.killpg(terminal.pid, signal.SIGTERM)


@pytest.mark.parametrize("ends", [interrupt, terminate, terminate_all])
def test_the_prompt_is_interrupted(
    engine: Path, tmp_path: Path, ends: Callable[[Terminal], None]
) -> None:
    """An interrupt at the prompt gives the engine's question and exit code, releases the lock, and
    is reported as not applied. (The engine itself prints "Interrupt received" before its error,
    behind it, or not at all.)"""
    screens = []
    for program, where in ((engine, "theirs"), (TF, "ours")):
        project = files_project(tmp_path / where, engine)
        project.write(file_object("a"))
        with Terminal([program, "apply"], env=project.env, cwd=project.place) as terminal:
            terminal.expect(PROMPT)
            assert (project.place / ".terraform.tfstate.lock.info").exists()
            ends(terminal)
            code = terminal.wait()
        assert not (project.place / ".terraform.tfstate.lock.info").exists()
        asked, _, answer = terminal.screen.partition(PROMPT)
        assert "Error: error asking for approval: " in answer
        assert answer.count("Interrupt received") <= 1
        screens.append((code, asked))
    assert screens[1] == screens[0]
    (event,) = project.heard()
    assert event["event_type"] == "apply_needed"
    assert event["data"]["approval"] == "interrupted"


@pytest.mark.parametrize(
    ("typed", "approval"), [("no\n", "declined"), ("\x04", "eof"), ("YES\n", "declined")]
)
@pytest.mark.parametrize("command", ["apply", "destroy"])
def test_the_prompt_is_declined(project: Project, command: str, typed: str, approval: str) -> None:
    """An apply or destroy that is not approved is reported as `apply_needed`, without a start
    event."""
    project.make(file_object("a"))
    project.write(file_object("a", content='"two"'))
    with project.sit(command, "-no-color") as terminal:
        terminal.expect(PROMPT)
        terminal.send(typed)
        said = project.told(terminal)
    assert (said.code, said.types) == (1, ["apply_needed"])
    assert said.data["approval"] == approval
    assert said.counts() in (None, "c1" if command == "apply" else "d1")


def test_the_lock_is_held_while_the_question_waits(project: Project) -> None:
    """The engine holds its lock while it waits for approval, and does not read a var-file again
    afterwards."""
    project.write('variable "v" {}\n' + file_object("a", content="var.v"))
    project.write('v = "one"\n', "once.tfvars")
    with project.sit("apply", "-no-color", "-var-file=once.tfvars") as terminal:
        terminal.expect(PROMPT)
        (project.place / "once.tfvars").unlink()
        other = project.bare("apply", "-auto-approve", "-var=v=x")
        assert "Error acquiring the state lock" in other.stderr
        terminal.send("yes\n")
        said = project.told(terminal)
    assert (said.code, said.types) == (0, ["provisioning", "active"])
    assert said.closing == said.counts() == "a1"


def test_another_apply_holds_the_lock(project: Project) -> None:
    """A run that waits for another apply's lock does not count that apply's changes."""
    project.write(file_object("a", wait_for='"go"') + file_object("b"))
    with running(project, project.engine, *APPLY, "-target=files_object.a") as other:
        until((project.place / "go.reached").exists)
        with project.sit(*APPLY, "-lock-timeout=60s") as terminal:
            terminal.expect("Acquiring state lock.")
            (project.place / "go").touch()
            said = project.told(terminal)
        assert other.process.wait(60) == 0
    assert said.types == ["provisioning", "active"]
    assert said.closing == "a1"
    assert said.counts() == "a1 u1"
    assert said.counts("drift") in (None, "")


# During an apply


def begin_slowly(project: Project, action: str, trouble: str) -> tuple[str, ...]:
    """Writes a configuration whose object `slow` is to be created, updated or deleted; returns the
    arguments for that."""
    told = {"wait_for": '"go"', "trouble": f'"{trouble}"' if trouble else ""}
    slow, quick = file_object("slow", **told), file_object("quick", content='"1"')
    after = file_object("after", content='"${files_object.slow.length}"', kind='"k"')
    if action == "create":
        project.write(slow + quick + after)
        return APPLY
    (project.place / "go").touch()
    project.make(slow + quick)
    for name in ("go", "go.reached"):
        (project.place / name).unlink()
    if action == "update":
        project.write(file_object("slow", content='"two"', **told) + quick + after)
        return APPLY
    return ("destroy", "-auto-approve", "-no-color")


@pytest.mark.parametrize("action", ["create", "update", "delete"])
@pytest.mark.parametrize("trouble", ["", "heed"])
def test_one_interrupt(project: Project, action: str, trouble: str) -> None:
    """After one interrupt the engine finishes or gives up the current change, as its provider
    decides; the counts are right or absent, and a failed run is reported with SIGINT."""
    words = begin_slowly(project, action, trouble)
    with running(project, TF, *words) as run:
        until((project.place / "go.reached").exists)
        if action == "create":
            run.says("files_object.quick: Creation complete")
        os.killpg(run.process.pid, signal.SIGINT)
        run.says("Interrupt received")
        if not trouble:
            (project.place / "go").touch()
        said = run.end()
    assert "Two interrupts" not in said.stdout
    assert not (project.place / ".terraform.tfstate.lock.info").exists()
    assert said.types[0] == ("destroying" if action == "delete" else "provisioning")
    assert said.code == 1 or said.types[-1] in ("active", "inactive")
    right_or_absent(said)
    if said.code == 1:
        assert said.types[-1] == "failed"
        assert said.data["interrupted"] == "SIGINT"


@pytest.mark.parametrize("action", ["create", "update", "delete"])
def test_two_interrupts(project: Project, action: str) -> None:
    """After two interrupts the engine exits at once; the run is reported as failed, with counts
    that are right or absent."""
    words = begin_slowly(project, action, "")
    with running(project, TF, *words) as run:
        until((project.place / "go.reached").exists)
        os.killpg(run.process.pid, signal.SIGINT)
        run.says("Interrupt received")
        os.killpg(run.process.pid, signal.SIGINT)
        said = run.end()
    assert "Two interrupts received" in said.stdout + said.stderr
    assert (said.code, said.types[-1]) == (1, "failed")
    right_or_absent(said)


def test_tf_is_killed(project: Project) -> None:
    """If `tf` is killed, the engine goes on to its end; a later `tfevents flush` reports the run as
    failed and deletes the core log."""
    project.write(file_object("a", wait_for='"go"') + file_object("b", content='"one"'))
    home = Path(project.env["TFEVENTS_HOME"])
    with running(project, TF, *APPLY) as run:
        until((project.place / "go.reached").exists)
        os.kill(run.process.pid, signal.SIGKILL)
        run.process.wait(60)
        (project.place / "go").touch()
        run.says("Apply complete! Resources: 2 added, 0 changed, 0 destroyed.")
    flush = [TF.with_name("tfevents"), "flush"]
    flushed = subprocess.run(flush, env=project.env, check=False, capture_output=True, text=True)
    assert not list(home.rglob("core.log")), flushed.stderr
    events = project.heard()
    assert events[-1]["data"]["interrupted"] == "killed"
    assert events[-1]["event_type"] == "failed"


# Files that can be read only once


def read_once(project: Project, path: Path, text: str) -> Thread:
    """Makes a FIFO that gives `text` to its first reader only; returns the thread that writes. A
    process that only opens the FIFO, as an engine does to check that it can (cliconfig.go), is no
    reader."""
    os.mkfifo(path)

    def tell() -> None:
        pipe = os.open(path, os.O_RDWR)
        os.write(pipe, text.encode())
        until(lambda: fcntl.ioctl(pipe, termios.FIONREAD, NOTHING) == NOTHING)
        os.close(pipe)

    teller = Thread(target=tell, daemon=True)
    teller.start()
    return teller


@pytest.mark.parametrize("name", ["once.tfvars", "once.auto.tfvars"])
def test_variables_that_can_be_read_once(project: Project, name: str) -> None:
    """A file of variables that can be read only once reaches the engine: tfevents does not read
    it."""
    project.write('variable "v" {}\n' + file_object("a", content="var.v"))
    flags = [f"-var-file={name}"] if name == "once.tfvars" else []
    read_once(project, project.place / name, 'v = "one"\n')
    said = project.tf(*APPLY, *flags)
    assert (said.code, said.types) == (0, ["provisioning", "active"]), said.stderr
    assert (project.place / "a.txt").read_text() == "one"
    assert said.counts() == "a1"


def test_a_file_descriptor_as_a_file_of_variables(project: Project) -> None:
    """`-var-file=<(…)` of a shell works."""
    project.write('variable "v" {}\n' + file_object("a", content="var.v"))
    script = f"exec {TF} {' '.join(APPLY)} -var-file=<(echo 'v = \"one\"')"
    with running(project, "/bin/bash", "-c", script) as run:
        said = run.end()
    assert (said.code, said.types) == (0, ["provisioning", "active"]), said.stderr
    assert said.counts() == "a1"


def test_a_cli_configuration_that_can_be_read_once(project: Project) -> None:
    """A CLI configuration that can be read only once reaches the engine, and no other command that
    tfevents runs blocks on it."""
    project.write(file_object("a"))
    config = Path(project.env["HOME"]) / "once.rc"
    read_once(project, config, Path(project.env["TF_CLI_CONFIG_FILE"]).read_text())
    with running(project, TF, *APPLY, TF_CLI_CONFIG_FILE=str(config)) as run:
        said = run.end()
    assert (said.code, said.types) == (0, ["provisioning", "active"]), said.stderr
    assert said.counts() == "a1"


# Plan files that the engine refuses


def saved(project: Project) -> None:
    """Makes a plan file `p` that can be applied."""
    project.write(file_object("a"))
    assert project.bare("plan", "-out=p").code == 0


def missing(project: Project) -> list[str]:
    project.write(file_object("a"))
    return ["p"]


def garbage(project: Project) -> list[str]:
    project.write(file_object("a"))
    (project.place / "p").write_bytes(b"PK\x03\x04 no plan")
    return ["p"]


def stale(project: Project) -> list[str]:
    saved(project)
    project.make(file_object("b"))
    return ["p"]


def of_another_workspace(project: Project) -> list[str]:
    saved(project)
    assert project.bare("workspace", "new", "other").code == 0
    project.bare("apply", "-auto-approve")
    return ["p"]


def two(project: Project) -> list[str]:
    saved(project)
    return ["p", "p"]


@pytest.mark.parametrize("make", [missing, garbage, stale, of_another_workspace, two])
def test_an_apply_that_is_refused(project: Project, make: Callable[[Project], list[str]]) -> None:
    """An apply of a plan file that the engine refuses has no start event and no counts."""
    words = make(project)
    project.heard()
    said = project.tf("apply", "-no-color", *words)
    assert said.code == 1
    assert said.types in ([], ["failed"])
    if said.types:
        assert said.counts() in (None, "")


# Nested engines, disks and backends


def test_a_nested_engine(project: Project) -> None:
    """The changes of another engine that a provisioner runs do not count in this run."""
    project.write('resource "terraform_data" "n" {}\n', "nested/n.tf")
    nested = f"{project.engine} -chdir=nested apply -auto-approve -no-color"
    block = f'  provisioner "local-exec" {{\n    command = "{nested}"\n  }}\n}}'
    project.write(file_object("a").replace("}", block) + file_object("b"))
    said = project.tf(*APPLY)
    assert (said.code, said.types) == (0, ["provisioning", "active"])
    assert (project.place / "nested/terraform.tfstate").exists()
    assert said.counts() in (None, "a2")
    assert "[DEBUG]" not in said.stdout + said.stderr


def test_no_place_for_the_log(project: Project) -> None:
    """If tfevents' home directory can't be written, the run is the engine's, and a count is right
    or absent."""
    project.write(file_object("a"))
    nowhere = str(project.place / "main.tf" / "nowhere")
    with running(project, TF, *APPLY, TFEVENTS_HOME=nowhere) as run:
        assert run.process.wait(90) == 0
        out, err = run.out.read_text(), run.err.read_text()
    assert Said(0, out, err).closing == "a1"
    assert "[DEBUG]" not in out + err
    assert re.findall(r"(\d+) added", err) in ([], ["1"])


@pytest.mark.parametrize("size", ["100k", "600k"])
def test_a_full_disk_for_the_log(project: Project, size: str, tmp_path: Path) -> None:
    """If the disk with the core log is full, the run is the engine's, and a count is right or
    absent."""
    home = tmp_path / "full"
    home.mkdir()
    project.write(file_object("a", path='"${count.index}.txt"').replace("{", "{\n count = 40", 1))
    script = f"mount -t tmpfs -o size={size} full {home} || exit 77; exec {TF} {' '.join(APPLY)}"
    with running(project, "unshare", "-m", "/bin/sh", "-c", script, TFEVENTS_HOME=str(home)) as run:
        run.process.wait(90)
        out, err = run.out.read_text(), run.err.read_text()
    if run.process.returncode == 77 or "unshare" in err:
        pytest.skip("no file system of one's own can be mounted here")
    assert run.process.returncode == 0
    assert Said(0, out, "").closing == "a40"
    assert "[DEBUG]" not in out + err
    assert without_ours(err) == ""
    assert re.findall(r"(\d+) added", err) in ([], ["40"])


@pytest.mark.parametrize("signalled", [False, True])
def test_a_backend_that_hangs_afterwards(project: Project, signalled: bool) -> None:
    """If the backend hangs after the apply, reading the state ends with the deadline, or soon after
    a signal; the engine's result does not change."""
    with StateStore() as backend:
        backend.hangs = True
        project.write(backend.block + file_object("a"))
        project.init()
        seconds = "600" if signalled else "2"
        with running(project, TF, *APPLY, TFEVENTS_TIMEOUT=seconds) as run:
            if signalled:
                until(lambda: backend.asked)
                run.process.send_signal(signal.SIGTERM)
            said = run.end()
    assert said.code == 0
    assert said.closing == "a1"
    assert "inactive" not in said.types
    assert said.counts() in (None, "a1")
