"""Builds the repository's image with buildah, and runs it without a daemon as a container engine
would.

No registry is asked: the image of each FROM is made here under the same name, by debootstrap or
from the machine's terraform.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.debian import NEW_NAMESPACES, make_system
from support.engines import terraform
from support.paths import ROOT

DEBIAN_PYTHON = ("python3-venv", "ca-certificates")
CONTAINER = """
root=$1 project=$2 user=$3 workdir=$4
shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount --bind "$project" "$root$workdir"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" --groups= "$root" env -i -C "$workdir" "$@"
"""
"""What a container engine does before the entry point: all but the project and /tmp is
read-only."""


@dataclass(frozen=True)
class Image:
    """An image's root directory, and the Env, Entrypoint, User and WorkingDir that it gives a
    container."""

    root: Path
    config: Mapping[str, Any]

    def command(
        self, project: Path, env: Mapping[str, str], user: str = "", entry: list[str] | None = None
    ) -> list[str]:
        """The command of a container with a project as its working directory; `user` and `entry`
        are the image's own unless given."""
        variables = [*self.config["Env"], *(f"{name}={value}" for name, value in env.items())]
        return [
            *NEW_NAMESPACES,
            *("sh", "-euc", CONTAINER, "container", str(self.root), str(project)),
            *(user or self.config["User"], self.config["WorkingDir"]),
            *variables,
            *(entry or self.config["Entrypoint"]),
        ]


class Builder:
    """Runs buildah with its own image store in a directory."""

    def __init__(self, place: Path) -> None:
        self._words = ["buildah", "--root", str(place / "images"), "--runroot", str(place / "run")]

    def __call__(self, *words: str | Path) -> str:
        """Runs a buildah command, which must succeed; returns its stdout."""
        done = subprocess.run(
            [*self._words, *map(str, words)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        return done.stdout.strip()

    def tag_files(self, name: str, files: Path, target: str) -> None:
        """Makes an image of nothing but some files."""
        container = self("from", "scratch")
        self("copy", "--quiet", container, files, target)
        self("commit", "--quiet", container, f"docker.io/{'' if '/' in name else 'library/'}{name}")
        self("rm", container)


@contextmanager
def build_image(file: str = "Dockerfile") -> Iterator[Image]:
    """Builds a Dockerfile of the repository on bases that are made here; all is deleted when the
    context ends."""
    text = (ROOT / file).read_text()
    bases = dict(re.findall(r"^ARG (\w+)_IMAGE=([^@\s]+)", text, re.MULTILINE))
    place = Path(tempfile.mkdtemp(prefix="tfevents-image-"))
    build = Builder(place)
    try:
        build.tag_files(bases["PYTHON"], _make_base(bases["PYTHON"].rpartition("-")[2]), "/")
        if "PROVISIONER" in bases:
            build.tag_files(bases["PROVISIONER"], terraform(), "/bin/terraform")
        names = [f"--build-arg={base}_IMAGE={name}" for base, name in bases.items()]  # no digests
        words = ("--isolation", "chroot", "--pull-never", "--tag", "localhost/tfevents", *names)
        build("bud", *words, "--file", ROOT / file, ROOT)
        container = build("from", "--pull-never", "localhost/tfevents")
        found = json.loads(build("inspect", container))
        yield Image(Path(build("mount", container)), found["OCIv1"]["config"])
    finally:
        build("umount", "--all")
        shutil.rmtree(place)


def _make_base(release: str) -> Path:
    """A Debian system with its own Python, also under the name `python`."""
    base = make_system(release, *DEBIAN_PYTHON)
    python = base / "usr/bin/python"
    if not python.is_symlink():
        python.symlink_to("python3")
    return base
