"""Cases of what can be wrong with a machine: home directory, disk, streams, environment, limits and
git."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.endpoint import Endpoint
from support.engines import terraform
from support.faults import prepare
from support.faults.case import Arrange, Case
from support.faults.scene import EVENTS, Scene

SOMEBODY = 54321
NONE: Sequence[str] = ()


@contextmanager
def report(scene: Scene) -> Iterator[None]:
    """Sends events to an endpoint that works."""
    with Endpoint() as endpoint:
        scene.servers.append(endpoint)
        scene.told["TFEVENTS_URL"] = endpoint.url
        yield


# Home


def told(**env: str | None) -> Arrange:
    """Changes environment variables of `tf` only; None unsets one."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        with report(scene):
            for name, value in env.items():
                scene.told.pop(name, None)
                if value is not None:
                    scene.told[name] = value
            yield

    return arrange


def homeless(**env: str) -> Arrange:
    """Unsets TFEVENTS_HOME: the journal is in the user's state directory."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        with report(scene):
            del scene.told["TFEVENTS_HOME"]
            scene.home = scene.place / "user/.local/state/tfevents"
            scene.env.update(env)
            yield

    return arrange


def odd_home(name: str) -> Arrange:
    """Gives the home directory this name."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        scene.home = scene.place / name
        with report(scene):
            scene.told["TFEVENTS_HOME"] = str(scene.home)
            yield

    return arrange


def odd_directory(name: str) -> Arrange:
    """Gives the project's directory this name."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        for at in (scene.theirs, scene.ours):
            at.rename(at.with_name(name))
        scene.name = name
        with report(scene):
            yield

    return arrange


def no_home() -> Arrange:
    """Runs as a user who has neither HOME nor an entry in passwd."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        alone = ["unshare", "--user", f"--map-user={SOMEBODY}"]
        if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
            pytest.skip("no right to be somebody else")
        with report(scene):
            scene.user, scene.uid = alone, SOMEBODY
            del scene.told["TFEVENTS_HOME"], scene.env["HOME"]
            yield

    return arrange


def home_is(make: str) -> Arrange:
    """Names as home directory a file, a dangling link, a directory that all may write to, or
    another user's."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        bad = scene.place / "bad"
        if make == "file":
            bad.touch()
        elif make == "link":
            bad.symlink_to(scene.place / "nowhere")
        else:
            bad.mkdir(mode=0o777)
            bad.chmod(0o777)
            if make == "foreign":
                _give_away(bad)
        with report(scene):
            scene.told["TFEVENTS_HOME"] = str(bad)
            yield

    return arrange


def _give_away(path: Path) -> None:
    if os.getuid():
        pytest.skip("only root can give a directory away")
    path.chmod(0o700)
    os.chown(path, SOMEBODY, SOMEBODY)


def on_disk(options: str, *, full: bool = False) -> Arrange:
    """Puts the home directory on its own file system, on which there is room again before
    delivery."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        scene.disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", options, "none", str(scene.disk)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("no file system of one's own can be mounted here")
        scene.lasting.callback(subprocess.run, ["umount", "-l", str(scene.disk)], check=True)
        if full:
            _fill(scene.disk)
        with report(scene):
            scene.home = scene.disk / "home"
            scene.told["TFEVENTS_HOME"] = str(scene.home)
            yield
        room = ["mount", "-o", "remount,rw,size=8m", str(scene.disk)]
        subprocess.run(room, check=True)

    return arrange


def _fill(disk: Path) -> None:
    (disk / "home").mkdir(mode=0o700)
    try:
        with open(disk / "ballast", "wb", buffering=0) as ballast:
            while ballast.write(b"x" * 4096):
                pass
    except OSError:
        return


def garbage(content: bytes) -> Arrange:
    """Writes these bytes as the journal; they are removed before the waiting events are
    delivered."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        scene.home.mkdir(mode=0o700)
        path = scene.home / "journal.db"
        path.write_bytes(content)
        with report(scene):
            yield
        path.unlink()

    return arrange


# What a process inherits


def both(**env: str | None) -> Arrange:
    """Changes environment variables of terraform and `tf` alike; None unsets one."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        with report(scene):
            for name, value in env.items():
                scene.env.pop(name, None)
                if value is not None:
                    scene.env[name] = value.replace("PLACE", str(scene.place))
            yield

    return arrange


def path_is(path: str | None) -> Arrange:
    """Sets PATH or, if None, unsets it; terraform is named by its own path."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        with both(PATH=path)(scene):
            scene.told["TFEVENTS_PROVISIONER"] = str(terraform())
            yield

    return arrange


def huge_environment() -> Arrange:
    """Adds more than a megabyte of environment variables."""
    return both(**{f"HUGE_{number}": "x" * 100_000 for number in range(12)})


def inherited(name: str) -> Arrange:
    """Starts both programs in a process that `prepare` has changed in the way of this name."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        scene.wrap = [sys.executable, "-IS", prepare.__file__, name]
        with report(scene):
            yield

    return arrange


# Git, and files in the project's directory


def git_does(script: str | None) -> Arrange:
    """Makes the project a git checkout; `git` is this script or, if None, is missing."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        for at in (scene.theirs, scene.ours):
            subprocess.run(["git", "init", "-q", at], env=scene.env, check=True)
        tools = scene.place / "tools"
        tools.mkdir()
        for name in ("sh", "env", "uname", "readlink", "dirname"):
            (tools / name).symlink_to(shutil.which(name) or "/bin/sh")
        (tools / "terraform").symlink_to(terraform())
        if script is not None:
            (tools / "git").write_text(f"#!/bin/sh\n{script}\n")
            (tools / "git").chmod(0o755)
        with both(PATH=f"{tools}")(scene):
            yield

    return arrange


def beside(name: str, content: bytes) -> Arrange:
    """Puts a file into the project's directory."""

    @contextmanager
    def arrange(scene: Scene) -> Iterator[None]:
        for at in (scene.theirs, scene.ours):
            (at / name).parent.mkdir(exist_ok=True)
            (at / name).write_bytes(content)
        with report(scene):
            yield
        (scene.ours / name).unlink()

    return arrange


EVIL = b"raise SystemExit('canary')\n"
ODD_PYTHON = {"PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere", "PYTHONSTARTUP": "/nowhere"}
GONE = "the directory is gone"

SURROUNDINGS: Mapping[str, tuple[Arrange, bool | None, Sequence[str]]] = {
    "nothing": (report, True, EVENTS),
    # home
    "home is a file": (home_is("file"), True, EVENTS),
    "home is a dangling link": (home_is("link"), True, EVENTS),
    "home is anybody's": (home_is("open"), True, EVENTS),
    "home is somebody else's": (home_is("foreign"), True, EVENTS),
    "home is below a file": (told(TFEVENTS_HOME="/dev/null/home"), True, EVENTS),
    "home has an odd name": (odd_home("\udcff ;\n'é"), True, EVENTS),
    "the directory has an odd name": (odd_directory("\udcff ;\n'é"), True, EVENTS),
    "home is read-only": (on_disk("ro"), True, EVENTS),
    "the disk is full": (on_disk("size=256k", full=True), True, EVENTS),
    "the disk is nearly full": (on_disk("size=96k"), None, EVENTS),
    "the journal is garbage": (garbage(b"garbage" * 99), True, EVENTS),
    "the journal is empty": (garbage(b""), True, NONE),
    "no TFEVENTS_HOME": (homeless(), True, EVENTS),
    "XDG_STATE_HOME is relative": (homeless(XDG_STATE_HOME="state"), True, EVENTS),
    "no HOME, no user": (no_home(), True, EVENTS),
    # settings
    "no key": (told(TFEVENTS_API_KEY=None), False, EVENTS),
    "half a key": (told(TFEVENTS_API_KEY="pat.canary"), False, EVENTS),
    "a URL that is none": (told(TFEVENTS_URL="canary"), False, EVENTS),
    "a URL with a password": (told(TFEVENTS_URL="https://u:canary@h.invalid"), False, EVENTS),
    "a timeout that is none": (told(TFEVENTS_TIMEOUT="soon"), False, EVENTS),
    "metadata that is none": (told(TFEVENTS_METADATA_TRIGGER="canary"), None, EVENTS),
    # the environment
    "LANG=C": (both(LANG="C", LC_ALL="C"), True, EVENTS),
    "LANG is none": (both(LANG="x_y.z", LC_ALL="\udcff"), True, EVENTS),
    "TZ is none": (both(TZ=":/etc/passwd"), True, EVENTS),
    "TZ far away": (both(TZ="X-24:59:59Y"), True, EVENTS),
    "TERM, COLUMNS and LINES are none": (both(TERM="x", COLUMNS="0", LINES="-1"), True, EVENTS),
    "Python's own variables": (both(**ODD_PYTHON, PYTHONUTF8="2"), True, EVENTS),
    "PATH is empty": (path_is(""), True, EVENTS),
    "PATH is not set": (path_is(None), True, EVENTS),
    "PATH is the directory itself": (path_is("."), True, EVENTS),
    "TMPDIR is missing": (both(TMPDIR="PLACE/nowhere"), True, EVENTS),
    "TMPDIR is a file": (both(TMPDIR="PLACE/user/gitconfig"), True, EVENTS),
    "a huge environment": (huge_environment(), True, EVENTS),
    "TF_CLI_ARGS with broken quotes": (both(TF_CLI_ARGS="'canary"), None, NONE),
    "TF_LOG": (both(TF_LOG="ERROR"), True, EVENTS),
    "TF_DATA_DIR elsewhere": (both(TF_DATA_DIR="PLACE/user/data"), True, EVENTS),
    **{name: (inherited(name), True, EVENTS) for name in prepare.PREPARED if name != GONE},
    GONE: (inherited(GONE), None, NONE),
    # git, and files
    "no git": (git_does(None), True, EVENTS),
    "git hangs": (git_does("while :; do :; done"), True, EVENTS),
    "git floods": (git_does("while :; do echo y; done"), True, EVENTS),
    "git fails": (git_does("echo canary >&2; exit 128"), True, EVENTS),
    "settings that are none": (beside(".tfevents.hcl", b"\xff{{{ canary"), None, EVENTS),
    "64 KiB of settings": (beside(".tfevents.hcl", b"{[" * 40000), None, EVENTS),
    "modules of Python's names": (beside("json.py", EVIL), True, EVENTS),
    "a backend file that is none": (beside(".git/HEAD", b"ref: \xff canary"), True, EVENTS),
}

CASES = [
    Case("surroundings", name, arrange, arrives, events)
    for name, (arrange, arrives, events) in SURROUNDINGS.items()
]
